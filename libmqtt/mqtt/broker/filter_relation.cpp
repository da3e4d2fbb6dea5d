#include <mqtt/broker/filter_relation.hpp>

#include <optional>

namespace mqtt::broker {
namespace {

/// The levels of a filter, one after the other.
class Levels {
 public:
  explicit Levels(std::string_view filter) : rest_{filter} {}

  /// Nothing behind the last.
  std::optional<std::string_view> next() {
    if (!rest_) return std::nullopt;
    const std::size_t slash = rest_->find('/');
    const std::string_view level = rest_->substr(0, slash);
    rest_ = slash == std::string_view::npos ? std::nullopt : std::optional{rest_->substr(slash + 1)};
    return level;
  }

 private:
  std::optional<std::string_view> rest_;
};

bool begins_with_wildcard(std::string_view filter) {
  return filter.starts_with('#') || filter.starts_with('+');
}

/// One is about '$'-topics and the other, by its wildcard, is not [MQTT-4.7.2-1].
bool apart_by_dollar(std::string_view a, std::string_view b) {
  return a.starts_with('$') ? begins_with_wildcard(b) : b.starts_with('$') && begins_with_wildcard(a);
}

}  // namespace

bool filters_overlap(std::string_view a, std::string_view b) {
  if (apart_by_dollar(a, b)) return false;
  Levels levels_a{a}, levels_b{b};
  while (true) {
    const auto level_a = levels_a.next();
    const auto level_b = levels_b.next();
    if (level_a == "#" || level_b == "#") return true;  // also matches the parent level (4.7.1.2)
    if (!level_a || !level_b) return !level_a && !level_b;
    if (*level_a != "+" && *level_b != "+" && *level_a != *level_b) return false;
  }
}

bool filter_covers(std::string_view outer, std::string_view inner) {
  if (apart_by_dollar(outer, inner)) return false;
  Levels outer_levels{outer}, inner_levels{inner};
  while (true) {
    const auto wide = outer_levels.next();
    const auto narrow = inner_levels.next();
    if (wide == "#") return true;
    if (!wide || !narrow) return !wide && !narrow;
    if (*narrow == "#" || (*wide != "+" && *wide != *narrow)) return false;
  }
}

}  // namespace mqtt::broker
