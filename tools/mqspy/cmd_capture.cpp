#include "mqspy/cmd_capture.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <mqtt/net/loop.hpp>

#include "common/diag.hpp"
#include "common/sentences.hpp"
#include "common/signals.hpp"
#include "common/spelling.hpp"
#include "mqspy/capture_account.hpp"
#include "mqspy/live_capture.hpp"
#include "mqspy/outputs.hpp"
#include "mqspy/privileges.hpp"
#include "mqspy/wall_clock.hpp"

namespace mq::spy {
namespace {

class CaptureRun {
 public:
  CaptureRun(const SpyConfig& config, Diag& diag, LiveCapture& capture, Outputs& outputs)
      : config_{config},
        diag_{diag},
        capture_{capture},
        outputs_{outputs},
        watch_{config.selection.wishes, now(), outputs.sink(), WatchSink::Afterwards::dropped},
        recorder_{watch_},
        connections_{recorder_},
        deadline_{loop_, [this] { loop_.stop(); }},
        signals_{loop_, {.on_stop = [this] { loop_.stop(); }, .on_statistics = [this] { tell_counts(); }}} {}

  ExitCode run() {
    auto watcher = mqtt::net::FdWatcher::open(loop_, capture_.fd(), [this](mqtt::net::FdEvents) { take(); });
    if (!watcher) {
      diag_.error(watcher.error().context);
      return ExitCode::internal;
    }
    (*watcher)->watch({.readable = true});
    if (const auto patience = watch_.patience()) deadline_.set(loop_.now() + *patience);
    diag_.info(fmt::format("listening on {}", in_quotes(config_.interface)));
    loop_.run();
    connections_.finish();
    recorder_.finish(now());
    flush();
    return conclude();
  }

 private:
  [[nodiscard]] mqtt::TimePoint now() { return loop_.refresh_now() + to_wall_; }

  void take() {
    if (auto taken = capture_.take(connections_); !taken) fail(std::move(taken.error()));
    flush();
    if (watch_.over()) loop_.stop();
  }

  void flush() {
    if (auto written = outputs_.flush(); !written) fail(std::move(written.error()));
  }

  void fail(mqtt::Error error) {
    if (!error_) error_ = std::move(error);
    loop_.stop();
  }

  void tell_counts() {
    const LiveCapture::Counts counts = capture_.counts();
    diag_.info(fmt::format("{} packets captured, {} dropped by the kernel, {} by the interface",
                           counts.received, counts.dropped, counts.interface_dropped));
  }

  ExitCode conclude() {
    tell_counts();
    if (error_ && !is_closed_pipe(*error_)) {
      diag_.error(local_io_failed(*error_));
      return ExitCode::local_io;
    }
    if (!watch_.over()) tell_account(diag_, connections_.account());
    if (const Awaited* missing = watch_.missing()) {
      diag_.error(fmt::format("expected and not seen: {}", missing->text));
      return ExitCode::expectation;
    }
    if (signals_.stop_signal() != 0 && !watch_.all_met()) die_by(signals_.stop_signal());
    return ExitCode::ok;
  }

  const SpyConfig& config_;
  Diag& diag_;
  LiveCapture& capture_;
  Outputs& outputs_;
  mqtt::net::Loop loop_;
  mqtt::Duration to_wall_ = to_wall_clock();
  WatchSink watch_;
  Recorder recorder_;
  Connections connections_;
  mqtt::net::Timer deadline_;
  Signals signals_;
  std::optional<mqtt::Error> error_;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) (out += out.empty() ? "" : " ") += word;
  return out;
}

}  // namespace

ExitCode capture_command(const SpyConfig& config) {
  Diag diag{"mqspy", config.log};
  const auto fail = [&diag](const mqtt::Error& error) {
    const bool usage = error.code == EINVAL;
    diag.error(Sentence{error.context, error.code == EPERM ? "root may, or who has CAP_NET_RAW" : ""});
    return usage ? ExitCode::usage : ExitCode::local_io;
  };
  auto capture = LiveCapture::open(config.interface, joined(config.arguments));
  if (!capture) return fail(capture.error());
  // Files that sudo's caller names are made with the caller's rights; those that root names with root's.
  const bool drop_first = is_root_by_sudo();
  if (auto dropped = drop_first ? drop_privileges() : mqtt::Result<void>{}; !dropped)
    return fail(dropped.error());
  auto outputs = Outputs::open(config);
  if (!outputs) {
    diag.error(local_io_failed(outputs.error()));
    return ExitCode::local_io;
  }
  if (auto dropped = drop_first ? mqtt::Result<void>{} : drop_privileges(); !dropped)
    return fail(dropped.error());
  return CaptureRun{config, diag, **capture, **outputs}.run();
}

}  // namespace mq::spy
