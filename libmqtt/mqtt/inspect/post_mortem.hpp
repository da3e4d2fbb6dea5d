#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/inspect/lint.hpp>

namespace mqtt {

/// Why a connection ended.
struct PostMortem {
  /// One word for it: "silent", "refused", "disconnect", "client-fault", "server-fault",
  /// "unanswered-connect", "keep-alive", "unanswered-ping"; "unexplained".
  std::string_view cause;
  /// One sentence without a full stop: "server refused: Not authorized (0x87)".
  std::string text;
};

/// `last` is the last error that was found on it. Text of the peers is escaped for a terminal.
[[nodiscard]] PostMortem post_mortem(const FlowClose& close, const FlowState& state,
                                     const std::optional<Finding>& last = {});

}  // namespace mqtt
