#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mq::spy {

/// What a clause, reason code, property or packet type is, in our own words; everything that `name` may mean.
/// Nothing if it is none of them.
[[nodiscard]] std::optional<std::string> explain(std::string_view name);

/// What `name` was probably meant to be; empty if nothing is near.
[[nodiscard]] std::string nearest_name(std::string_view name);

/// Everything that explain() knows, as one word each.
[[nodiscard]] std::vector<std::string> explained_words();

/// A row for each numbered clause of both versions: the rule that judges it, or why there is none.
[[nodiscard]] std::string coverage_table();

/// In our own words; empty for what has none.
[[nodiscard]] std::string_view words_of_reason(unsigned code);
[[nodiscard]] std::string_view words_of_property(unsigned id);
[[nodiscard]] std::string_view words_of_packet(unsigned type);

}  // namespace mq::spy
