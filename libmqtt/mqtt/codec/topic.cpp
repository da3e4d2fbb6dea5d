#include <mqtt/codec/topic.hpp>

#include <cstring>

#include <mqtt/codec/clauses.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt {
namespace {

constexpr std::string_view share_prefix = "$share/";

/// Whether one of eight bytes is '+' or '#': a byte of `word ^ pattern` is zero there. May err by
/// saying yes.
bool word_may_have_wildcard(const char* text) {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  std::uint64_t word;
  std::memcpy(&word, text, sizeof word);
  const std::uint64_t plus = word ^ ones * '+', hash = word ^ ones * '#';
  return ((((plus - ones) & ~plus) | ((hash - ones) & ~hash)) & highs) != 0;
}

std::optional<TopicError> find_text_error(std::string_view text) {
  if (text.empty()) return TopicError{clauses::topic_empty, 0, "topic is empty"};
  if (text.size() > field_size_max)
    return TopicError{clauses::topic_too_long, field_size_max, "topic is longer than 65,535 bytes"};
  const auto fault = find_utf8_error(as_bytes(text));
  if (!fault) return std::nullopt;
  if (fault->fault == Utf8Fault::nul)
    return TopicError{clauses::topic_nul, fault->offset, "topic contains U+0000"};
  return TopicError{clauses::string_well_formed, fault->offset, "topic is not well-formed UTF-8"};
}

bool starts_level(std::string_view filter, std::size_t at) { return at == 0 || filter[at - 1] == '/'; }
bool ends_level(std::string_view filter, std::size_t at) {
  return at + 1 == filter.size() || filter[at + 1] == '/';
}

std::optional<TopicError> find_wildcard_error(std::string_view filter) {
  for (std::size_t at = filter.find_first_of("+#"); at != filter.npos;
       at = filter.find_first_of("+#", at + 1)) {
    if (filter[at] == '#' && at + 1 != filter.size())
      return TopicError{clauses::hash_last, at, "'#' is not the last character of the filter"};
    if (filter[at] == '#' && !starts_level(filter, at))
      return TopicError{clauses::hash_last, at, "'#' does not stand alone in its level"};
    if (filter[at] == '+' && !(starts_level(filter, at) && ends_level(filter, at)))
      return TopicError{clauses::plus_alone, at, "'+' does not stand alone in its level"};
  }
  return std::nullopt;
}

/// `filter` starts with "$share/". The name must not be empty, hold no wildcard, and be followed by
/// '/' and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2].
std::optional<TopicError> find_share_error(std::string_view filter) {
  const std::string_view rest = filter.substr(share_prefix.size());
  const std::size_t slash = rest.find('/');
  const std::string_view name = rest.substr(0, slash);
  if (name.empty()) return TopicError{clauses::share_name_empty, share_prefix.size(), "share name is empty"};
  const std::size_t wildcard = name.find_first_of("+#");
  if (wildcard != name.npos)
    return TopicError{clauses::share_name_chars, share_prefix.size() + wildcard,
                      "share name contains a wildcard"};
  if (slash == rest.npos || slash + 1 == rest.size())
    return TopicError{clauses::share_name_chars, filter.size(),
                      "share name is not followed by a topic filter"};
  return std::nullopt;
}

/// Cuts the first level off `path`; nothing once the last one is gone.
std::optional<std::string_view> next_level(std::optional<std::string_view>& path) {
  if (!path) return std::nullopt;
  const std::size_t slash = path->find('/');
  const std::string_view level = path->substr(0, slash);
  path = slash == path->npos ? std::nullopt : std::optional{path->substr(slash + 1)};
  return level;
}

}  // namespace

std::optional<TopicError> find_topic_name_error(std::string_view name) {
  if (auto fault = find_text_error(name)) return fault;
  const std::size_t wildcard = find_wildcard(name);
  if (wildcard == name.npos) return std::nullopt;
  return TopicError{clauses::topic_wildcard, wildcard,
                    name[wildcard] == '+' ? "topic name contains the wildcard '+'"
                                          : "topic name contains the wildcard '#'"};
}

std::optional<TopicError> find_topic_filter_error(std::string_view filter) {
  if (auto fault = find_text_error(filter)) return fault;
  if (!filter.starts_with(share_prefix)) return find_wildcard_error(filter);
  if (auto fault = find_share_error(filter)) return fault;
  const std::string_view inner = split_shared(filter).filter;
  auto fault = find_wildcard_error(inner);
  if (fault) fault->offset += filter.size() - inner.size();
  return fault;
}

SharedFilter split_shared(std::string_view filter) {
  if (!filter.starts_with(share_prefix)) return {{}, filter};
  const std::string_view rest = filter.substr(share_prefix.size());
  const std::size_t slash = rest.find('/');
  if (slash == rest.npos) return {{}, filter};
  return {rest.substr(0, slash), rest.substr(slash + 1)};
}

std::size_t find_wildcard(std::string_view text) {
  // Every received topic comes this way, and hardly any has one: eight bytes at a time.
  std::size_t at = 0;
  while (at + 8 <= text.size() && !word_may_have_wildcard(text.data() + at)) at += 8;
  while (at < text.size() && text[at] != '+' && text[at] != '#') ++at;
  return at < text.size() ? at : text.npos;
}

bool topic_matches(std::string_view filter, std::string_view name) {
  const bool starts_with_wildcard = filter.starts_with('#') || filter.starts_with('+');
  if (starts_with_wildcard && name.starts_with('$')) return false;  // [MQTT-4.7.2-1]
  std::optional<std::string_view> filter_path{filter}, name_path{name};
  while (const auto wanted = next_level(filter_path)) {
    if (*wanted == "#") return true;  // also matches the parent level (4.7.1.2)
    const auto level = next_level(name_path);
    if (!level || (*wanted != "+" && *wanted != *level)) return false;
  }
  return !name_path;
}

}  // namespace mqtt
