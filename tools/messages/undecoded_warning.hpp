#pragma once
#include <fmt/format.h>

#include <string_view>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/diag.hpp"

namespace mq {

/// Says once what --decode could not read: a stream of such payloads is not a stream of warnings, and --json
/// says it of each.
class UndecodedWarning {
 public:
  /// `diag` must outlive it.
  explicit UndecodedWarning(Diag& diag) : diag_{&diag} {}

  void operator()(std::string_view decoder, std::string_view topic, std::string_view fault) {
    if (std::exchange(told_, true)) return;
    diag_->warning(fmt::format(
        "the payload of '{}' cannot be decoded as {}: it {}; such messages are written as they come",
        mqtt::escape_for_terminal(topic), decoder, fault));
  }

 private:
  Diag* diag_;
  bool told_ = false;
};

}  // namespace mq
