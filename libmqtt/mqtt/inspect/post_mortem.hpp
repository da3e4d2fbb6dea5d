#pragma once
#include <optional>
#include <string>

#include <mqtt/inspect/lint.hpp>

namespace mqtt {

/// Why a connection ended, in one sentence without a full stop: "server refused: Not authorized (0x87)".
/// `last` is the last error that was found on it. Text of the peers is escaped for a terminal.
[[nodiscard]] std::string post_mortem(const FlowClose& close, const FlowState& state,
                                      const std::optional<Finding>& last = {});

}  // namespace mqtt
