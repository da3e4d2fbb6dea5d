#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mq {

/// What a page says at the moment.
struct HttpContent {
  HttpContent(std::string says) : text{std::move(says)} {}

  std::string text;
  bool fine = true;  ///< false: 503 Service Unavailable
};

/// A page that can be read.
struct HttpPage {
  std::string_view path;          ///< "/metrics"
  std::string_view content_type;  ///< of what `make` makes
  std::function<HttpContent()> make;
  std::string_view fields = {};  ///< more fields of the response's head, each with its CRLF
};

/// Bytes of a request's head, its empty line included; a scraper's has some hundreds.
inline constexpr std::size_t http_head_max = 8 * 1024;

/// The response to a request for one of `pages`, whole, after which the connection ends (RFC 9112). `head` is
/// the request up to its empty line, or all of http_head_max bytes if there is none.
[[nodiscard]] std::string answer_to(std::string_view head, std::span<const HttpPage> pages);

}  // namespace mq
