#include "mqspy/cmd_proxy.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <mutex>

#include <mqtt/net/owned_fd.hpp>

#include "common/diag.hpp"
#include "common/readiness.hpp"
#include "common/sentences.hpp"
#include "common/signals.hpp"
#include "common/spelling.hpp"
#include "mqspy/outputs.hpp"
#include "mqspy/proxy.hpp"
#include "mqspy/selection.hpp"
#include "mqspy/wall_clock.hpp"

namespace mq::spy {
namespace {

/// Each connection takes two descriptors; the soft limit is there for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

mqtt::Result<void> write_ca(const std::string& path, const std::string& certificate) {
  std::ofstream file{path, std::ios::trunc};
  file << certificate;
  file.close();
  if (file) return {};
  return std::unexpected(mqtt::system_error(errno, fmt::format("cannot write {}", in_quotes(path))));
}

/// What the thread that inspects has to tell the loop.
class Verdict {
 public:
  explicit Verdict(int wake_fd) : wake_fd_{wake_fd} {}

  void fail(mqtt::Error error) {
    {
      const std::scoped_lock lock{mutex_};
      if (!error_) error_ = std::move(error);
    }
    wake();
  }
  void wake() const {
    const std::uint64_t one = 1;
    if (::write(wake_fd_, &one, sizeof one) < 0) return;  // it is full of earlier ones
  }
  [[nodiscard]] std::optional<mqtt::Error> error() const {
    const std::scoped_lock lock{mutex_};
    return error_;
  }

 private:
  int wake_fd_;
  mutable std::mutex mutex_;
  std::optional<mqtt::Error> error_;
};

class ProxyRun {
 public:
  ProxyRun(const SpyConfig& config, Diag& diag, ProxyTransport& transport, Outputs& outputs, int wake_fd)
      : config_{config},
        diag_{diag},
        to_wall_{to_wall_clock()},
        transport_{transport},
        outputs_{outputs},
        verdict_{wake_fd},
        watch_{config.selection.wishes, now(), outputs.sink()},
        rules_{config.proxy.faults, config.proxy.seed},
        inspection_{watch_, [this] { behind_batch(); }},
        deadline_{loop_, [this] { loop_.stop(); }},
        signals_{loop_, {.on_stop = [this] { loop_.stop(); }, .on_statistics = [] {}}} {}

  ExitCode run(int wake_fd) {
    auto waker = mqtt::net::FdWatcher::open(loop_, wake_fd, [this](mqtt::net::FdEvents) { loop_.stop(); });
    if (!waker) return fail(ExitCode::internal, waker.error());
    (*waker)->watch({.readable = true});
    auto proxy = Proxy::open(loop_, config_.proxy, transport_, inspection_, rules_, to_wall_);
    if (!proxy) return fail(ExitCode::connect, proxy.error());
    if (const auto told = tell_ready_to((*proxy)->urls()); !told)
      return fail(ExitCode::local_io, told.error());
    if (const auto patience = watch_.patience()) deadline_.set(loop_.now() + *patience);
    loop_.run();
    (*proxy)->shut_down();
    inspection_.finish(now());
    return conclude();
  }

 private:
  [[nodiscard]] mqtt::TimePoint now() { return loop_.refresh_now() + to_wall_; }

  ExitCode fail(ExitCode code, const mqtt::Error& error) {
    diag_.error(code == ExitCode::local_io ? local_io_failed(error) : Sentence{error.context});
    return code;
  }

  mqtt::Result<void> tell_ready_to(const std::vector<std::string>& urls) {
    if (config_.proxy.print_address)
      if (auto printed = print_addresses(urls); !printed) return printed;
    if (config_.proxy.ready_fd) tell_ready(*config_.proxy.ready_fd);
    return {};
  }

  /// In the thread that inspects.
  void behind_batch() {
    if (auto written = outputs_.flush(); !written) return verdict_.fail(std::move(written.error()));
    if (watch_.stopped() || watch_.all_met()) verdict_.wake();
  }

  /// The thread has ended.
  ExitCode conclude() {
    tell_skipped();
    const auto error = verdict_.error();
    if (error && !is_closed_pipe(*error)) return fail(ExitCode::local_io, *error);
    if (const Awaited* missing = watch_.missing()) {
      diag_.error(fmt::format("expected and not seen: {}", missing->text));
      return ExitCode::expectation;
    }
    if (signals_.stop_signal() != 0 && !watch_.all_met()) die_by(signals_.stop_signal());
    return ExitCode::ok;
  }

  void tell_skipped() {
    const auto& [octets, links] = inspection_.skipped();
    if (octets > 0 || links > 0)
      diag_.warning(fmt::format(
          "more went by than could be looked at: {} octets, and {} connections as a whole", octets, links));
  }

  const SpyConfig& config_;
  Diag& diag_;
  mqtt::net::Loop loop_;
  mqtt::Duration to_wall_;
  ProxyTransport& transport_;
  Outputs& outputs_;
  Verdict verdict_;
  WatchSink watch_;
  FaultRules rules_;
  Inspection inspection_;
  mqtt::net::Timer deadline_;
  Signals signals_;
};

}  // namespace

ExitCode proxy_command(const SpyConfig& config) {
  Diag diag{"mqspy", config.log};
  const auto fail = [&diag](ExitCode code, const mqtt::Error& error) {
    diag.error(code == ExitCode::local_io ? local_io_failed(error) : Sentence{error.context});
    return code;
  };
  raise_descriptor_limit();
  auto transport = ProxyTransport::make(config.proxy);
  if (!transport) return fail(ExitCode::usage, transport.error());
  if (!config.proxy.ca_out.empty())
    if (auto written = write_ca(config.proxy.ca_out, (*transport)->ca_certificate()); !written)
      return fail(ExitCode::local_io, written.error());
  auto outputs = Outputs::open(config);
  if (!outputs) return fail(ExitCode::local_io, outputs.error());
  const mqtt::net::OwnedFd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake.valid()) return fail(ExitCode::internal, mqtt::system_error(errno, "cannot make an eventfd"));
  return ProxyRun{config, diag, **transport, **outputs, wake.get()}.run(wake.get());
}

}  // namespace mq::spy
