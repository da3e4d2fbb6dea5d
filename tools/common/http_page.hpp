#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mq::bench {

/// What a web server has that has one page only.
struct HttpPage {
  std::string_view path;          ///< "/metrics"
  std::string_view content_type;  ///< of what `text` makes
  std::function<std::string()> text;
};

/// Octets of a request's head, its empty line included; a scraper's has some hundreds.
inline constexpr std::size_t http_head_max = 8 * 1024;

/// The response to a request for `page`, whole, after which the connection ends (RFC 9112). `head` is the
/// request up to its empty line, or all of http_head_max octets if there is none.
[[nodiscard]] std::string answer_to(std::string_view head, const HttpPage& page);

}  // namespace mq::bench
