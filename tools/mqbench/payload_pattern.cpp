#include "mqbench/payload_pattern.hpp"

#include <utility>

#include "common/stdio.hpp"
#include "mqbench/size_pattern.hpp"

namespace mq::bench {

std::expected<PayloadPattern, std::string> PayloadPattern::parse(std::string_view text) {
  PayloadPattern made;
  made.text_ = text;
  if (text.starts_with('@')) {
    auto body = read_file(made.text_.substr(1), SizePattern::bytes_max);
    if (!body) return std::unexpected(std::move(body.error().context));
    made.body_ = std::move(*body);
    return made;
  }
  auto fields = Template::parse(text);
  if (!fields) return std::unexpected(std::move(fields.error()));
  if (fields->has_line()) return std::unexpected("there is no {line} here: the load reads nothing");
  made.fields_ = std::make_shared<const Template>(std::move(*fields));
  return made;
}

}  // namespace mq::bench
