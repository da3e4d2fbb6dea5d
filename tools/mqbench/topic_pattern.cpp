#include "mqbench/topic_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"

namespace mq::bench {
namespace {

constexpr std::string_view run_field = "{run}";
constexpr std::string_view topic_field = "{t}";
constexpr std::uint32_t topics_max = 10'000'000;

std::string with_each(std::string text, std::string_view field, std::string_view value) {
  for (std::size_t at = 0; (at = text.find(field, at)) != std::string::npos; at += value.size())
    text.replace(at, field.size(), value);
  return text;
}

std::string with_run(const std::string& text, std::uint32_t run) {
  return with_each(text, run_field, fmt::format("{:06x}", run));
}

/// "t:1000": 1000.
std::optional<std::uint32_t> count_of(std::string_view field) {
  if (!field.starts_with("t:")) return std::nullopt;
  const auto count = mqtt::parse_number<std::uint32_t>(field.substr(2));
  return count && *count > 0 && *count <= topics_max ? count : std::nullopt;
}

}  // namespace

std::expected<TopicPattern, std::string> TopicPattern::parse(std::string_view text) {
  TopicPattern made;
  made.text_ = text;
  made.form_.clear();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t brace = std::min(text.find('{', at), text.size());
    made.form_ += text.substr(at, brace - at);
    at = brace;
    if (at == text.size()) break;
    const std::size_t end = std::min(text.find('}', at), text.size());
    const std::string_view field = text.substr(at + 1, end - at - 1);
    const auto count = count_of(field);
    if (end == text.size() || (field != "run" && field != "t" && !count))
      return std::unexpected(fmt::format("{} has no field {}: there are {{run}}, {{t}} and {{t:N}}",
                                         in_quotes(text), in_quotes(text.substr(at, end - at + 1))));
    if (count && made.count_ != 0 && made.count_ != *count)
      return std::unexpected(fmt::format("{} says two counts of topics", in_quotes(text)));
    if (count) made.count_ = *count;
    made.form_ += field == "run" ? run_field : topic_field;
    at = end + 1;
  }
  made.is_one_ = made.form_.find(topic_field) == std::string::npos;
  // The longest that it can become.
  if (const auto fault = mqtt::find_topic_name_error(made.name(0, topics_max)))
    return std::unexpected(fmt::format("{}: {}", in_quotes(text), fault->what));
  return made;
}

bool TopicPattern::has_run() const { return form_.find(run_field) != std::string::npos; }

std::string TopicPattern::name(std::uint32_t run, std::uint32_t topic) const {
  return with_each(with_run(form_, run), topic_field, fmt::format("{}", topic));
}

std::string TopicPattern::filter(std::uint32_t run) const {
  std::string filter = with_run(form_, run);
  for (std::size_t at = 0; (at = filter.find(topic_field, at)) != std::string::npos;) {
    const std::size_t slash = filter.rfind('/', at);
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    filter.replace(begin, std::min(filter.find('/', at), filter.size()) - begin, "+");
    at = begin;
  }
  return filter;
}

}  // namespace mq::bench
