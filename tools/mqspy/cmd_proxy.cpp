#include "mqspy/cmd_proxy.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
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

/// What goes by last may have to wait until somebody takes what is written, but not for ever.
constexpr mqtt::Duration output_patience = std::chrono::seconds{10};

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
  /// The thread has no more to do.
  void end() {
    over_ = true;
    wake();
  }
  [[nodiscard]] bool over() const { return over_; }
  void wake() const {
    const std::uint64_t one = 1;
    if (::write(wake_fd_, &one, sizeof one) < 0) return;  // it is full of earlier ones
  }
  /// In the loop: it was woken.
  void take_wake() const {
    std::uint64_t count = 0;
    if (::read(wake_fd_, &count, sizeof count) < 0) return;  // by an earlier one
  }
  [[nodiscard]] std::optional<mqtt::Error> error() const {
    const std::scoped_lock lock{mutex_};
    return error_;
  }

 private:
  int wake_fd_;
  mutable std::mutex mutex_;
  std::optional<mqtt::Error> error_;
  std::atomic<bool> over_ = false;
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
        inspection_{watch_, [this](Inspection::Progress progress) { on_progress(progress); }},
        deadline_{loop_, [this] { loop_.stop(); }},
        signals_{loop_, {.on_stop = [this] { loop_.stop(); }, .on_statistics = [] {}}} {}

  ExitCode run(int wake_fd) {
    auto waker = mqtt::net::FdWatcher::open(loop_, wake_fd, [this](mqtt::net::FdEvents) {
      verdict_.take_wake();
      loop_.stop();
    });
    if (!waker) return fail(ExitCode::internal, waker.error());
    (*waker)->watch({.readable = true});
    auto proxy = Proxy::open(loop_, config_.proxy, transport_, inspection_, rules_, to_wall_);
    if (!proxy) return fail(ExitCode::connect, proxy.error());
    if (const auto told = tell_ready_to((*proxy)->urls()); !told)
      return fail(ExitCode::local_io, told.error());
    if (const auto patience = watch_.patience()) deadline_.set(loop_.now() + *patience);
    loop_.run();
    (*proxy)->shut_down();
    inspection_.end(now());
    if (!await_inspection()) give_up();
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
  void on_progress(Inspection::Progress progress) {
    using enum Inspection::Progress;
    auto written = progress == going_on ? outputs_.flush_if_full() : outputs_.flush();
    if (!written) verdict_.fail(std::move(written.error()));
    if (progress == over) return verdict_.end();
    if (!told_ && (watch_.stopped() || watch_.all_met())) verdict_.wake(), told_ = true;
  }

  /// False if the thread has stopped half-way, since nobody takes what it writes. A signal meanwhile ends the
  /// process, if it is the second one.
  [[nodiscard]] bool await_inspection() {
    while (!verdict_.over()) {
      const std::uint64_t looked_at = inspection_.looked_at();
      const mqtt::TimePoint late = loop_.refresh_now() + output_patience;
      deadline_.set(late);
      loop_.run();
      if (!verdict_.over() && inspection_.looked_at() == looked_at && loop_.refresh_now() >= late)
        return false;
    }
    return true;
  }

  /// The thread waits for a write, and cannot be waited for.
  [[noreturn]] void give_up() {
    diag_.error(fmt::format("nobody has taken the output for {}: the rest of it is lost",
                            mqtt::format_duration(output_patience)));
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    std::_Exit(static_cast<int>(ExitCode::local_io));
  }

  /// The thread is over.
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
    const auto& [bytes, links, firings] = inspection_.skipped();
    if (bytes > 0 || links > 0 || firings > 0)
      diag_.warning(
          fmt::format("more went by than could be looked at: {} bytes, {} connections as a whole, "
                      "{} firings of faults",
                      bytes, links, firings));
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
  bool told_ = false;  // that it is to end; by the thread that inspects
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
