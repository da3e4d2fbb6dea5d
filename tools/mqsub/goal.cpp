#include "mqsub/goal.hpp"

#include <fmt/format.h>

namespace mq {

void Goal::on_shown(const mqtt::PublishView& message) {
  ++shown_;
  if (config_.expectation && config_.expectation->matches(message)) met_ = true;
}

ExitCode Goal::verdict(Cause cause) const {
  if (config_.expectation) return met_ ? ExitCode::ok : ExitCode::expectation;
  if (config_.count && shown_ < *config_.count) return ExitCode::deadline;
  if (cause == Cause::timeout && !config_.count && config_.fail_on_timeout) return ExitCode::deadline;
  return ExitCode::ok;
}

std::string Goal::progress() const {
  std::string text = config_.count ? fmt::format("{} of {} messages received", shown_, *config_.count)
                                   : fmt::format("{} messages received", shown_);
  if (config_.expectation && !met_) text += ", none as expected";
  return text;
}

}  // namespace mq
