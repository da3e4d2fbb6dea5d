#pragma once
#include <cstddef>
#include <string>

namespace mq {

/// Rewrites the JSON text that stands in `out` from `start` on, one member or element per line, indented by
/// two blanks. The text must be valid; strings and numbers keep their bytes.
void make_json_pretty(std::string& out, std::size_t start);

}  // namespace mq
