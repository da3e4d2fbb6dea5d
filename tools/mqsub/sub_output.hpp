#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/diag.hpp"
#include "common/held_lines.hpp"
#include "common/stdio.hpp"
#include "mqsub/options.hpp"
#include "mqsub/presenter.hpp"
#include "mqsub/sinks.hpp"

namespace mq {

/// Everything that mqsub writes of messages: what a Presenter makes of them on standard output, and a
/// recording. While a view owns the screen, lines for stderr wait.
class SubOutput {
 public:
  struct Callbacks {
    std::function<void()> on_drained;  ///< blocked() was true and no longer is
    std::function<void()> on_closed;   ///< nobody reads any more; once
    std::function<void(const mqtt::Error&)>
        on_error;                      ///< a write failed; once each for stdout and the recording
    std::function<void()> on_pending;  ///< something was appended outside of show(): flush it
  };

  /// `config` and `diag` must outlive it.
  SubOutput(mqtt::net::Loop& loop, const SubConfig& config, Sinks sinks, Diag& diag, Callbacks callbacks);

  void begin();
  /// Appends what the message leaves. Flushes only what is to be written message by message.
  void show(const mqtt::PublishView& message, WallTime received);
  void event(std::string_view name, const Diag::Fields& fields);
  /// Writes as much as goes without waiting.
  void flush();
  /// The last words. Lines for stderr that waited are written.
  void close();
  /// The recording is complete. False if that failed, which on_error() was told.
  [[nodiscard]] bool commit();
  /// What is not complete goes.
  void discard_recording() { record_.reset(); }

  /// As of Stdout. failed(): no write can succeed, or the recording has failed.
  [[nodiscard]] bool blocked() const { return stdout_.blocked(); }
  [[nodiscard]] std::size_t pending() const { return stdout_.pending(); }
  [[nodiscard]] std::uint64_t position() const { return stdout_.position(); }
  [[nodiscard]] std::uint64_t written() const { return stdout_.written(); }
  [[nodiscard]] bool failed() const { return stdout_.failed() || record_failed_; }
  [[nodiscard]] bool found_difference() const { return presenter_->found_difference(); }

 private:
  void hold_diagnostics();
  void release_diagnostics();
  void on_tick();
  void redraw();
  [[nodiscard]] bool recorded(const mqtt::Result<void>& result);

  mqtt::net::Loop& loop_;
  const SubConfig& config_;
  Diag& diag_;
  Callbacks callbacks_;
  Stdout stdout_;
  std::unique_ptr<RecordFile> record_;
  std::unique_ptr<Presenter> presenter_;
  mqtt::net::Timer tick_;
  mqtt::TimePoint next_tick_{};
  std::optional<mqtt::net::SignalWatcher> resized_;
  std::optional<HeldLines> held_lines_;
  WallClockText event_clock_;
  bool record_failed_ = false;
  bool closed_ = false;
};

}  // namespace mq
