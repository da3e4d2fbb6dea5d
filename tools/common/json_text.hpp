#pragma once
#include <string_view>

namespace mq {

/// Deeper JSON than this is not embedded in our lines: common readers refuse it (jq 1.6 above 256).
inline constexpr std::size_t json_depth_max = 128;

/// True if `text` is one JSON text of RFC 8259 that every reader takes: the grammar to the letter, no
/// byte order mark, no unpaired surrogate among the \u escapes, no deeper than json_depth_max.
/// `text` must be well-formed UTF-8.
[[nodiscard]] bool is_json_text(std::string_view text);

}  // namespace mq
