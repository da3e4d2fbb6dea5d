#include "mqsub/sub_output.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "messages/undecoded_warning.hpp"

namespace mq {
SubOutput::SubOutput(mqtt::net::Loop& loop, const SubConfig& config, Sinks sinks, Diag& diag,
                     Callbacks callbacks)
    : loop_{loop},
      config_{config},
      diag_{diag},
      callbacks_{std::move(callbacks)},
      stdout_{loop,
              {.on_drained = callbacks_.on_drained,
               .on_closed = callbacks_.on_closed,
               .on_error = callbacks_.on_error}},
      record_{std::move(sinks.record)},
      tick_{loop, [this] { on_tick(); }} {
  presenter_ = sinks.difference ? make_diff_presenter(std::move(*sinks.difference))
                                : make_presenter(config.view, config.output, stdout_.is_terminal(),
                                                 UndecodedWarning{diag_});
}

void SubOutput::begin() {
  presenter_->begin(stdout_.buffer());
  callbacks_.on_pending();
  if (presenter_->owns_screen()) hold_diagnostics();
  const auto interval = presenter_->interval();
  if (!interval) return;
  next_tick_ = loop_.now() + *interval;
  tick_.set(next_tick_);
}

void SubOutput::show(const mqtt::PublishView& message, WallTime received) {
  if (record_) record_->add(message, received);
  if (config_.exec.command.empty()) presenter_->show(stdout_.buffer(), message, received);
  if (config_.output.line_buffered) flush();
}

void SubOutput::event(std::string_view name, const Diag::Fields& fields) {
  append_event(stdout_.buffer(), event_clock_, Diag::system_clock(), name, fields);
  callbacks_.on_pending();
}

void SubOutput::flush() {
  // The recording first: what is not recorded is not acknowledged.
  if (record_ && !record_failed_ && !recorded(record_->flush())) return;
  stdout_.flush();
}

bool SubOutput::commit() { return !record_ || (!record_failed_ && recorded(record_->commit())); }

bool SubOutput::recorded(const mqtt::Result<void>& result) {
  if (result) return true;
  record_failed_ = true;
  callbacks_.on_error(result.error());
  return false;
}

void SubOutput::close() {
  if (std::exchange(closed_, true)) return;
  tick_.cancel();
  presenter_->finish(stdout_.buffer());
  if (presenter_->owns_screen()) release_diagnostics();
}

/// The last line is shown in the view.
void SubOutput::hold_diagnostics() {
  resized_.emplace(loop_, SIGWINCH, [this] { redraw(); });
  held_lines_.emplace(diag_, [this](std::string_view line) { presenter_->note(line); });
}

void SubOutput::release_diagnostics() {
  resized_.reset();
  stdout_.flush();  // the screen is given back
  held_lines_.reset();
}

void SubOutput::redraw() {
  if (closed_ || stdout_.blocked()) return;
  presenter_->redraw(stdout_.buffer());
  callbacks_.on_pending();
}

void SubOutput::on_tick() {
  if (closed_) return;
  if (!stdout_.blocked()) presenter_->tick(stdout_.buffer());
  next_tick_ = std::max(next_tick_ + *presenter_->interval(), loop_.now());
  tick_.set(next_tick_);
  callbacks_.on_pending();
}

}  // namespace mq
