#include "common/http_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include <mqtt/net/http_head.hpp>

namespace mq {
namespace {

struct Answer {
  std::string_view status;
  std::string fields = {};  // each with its CRLF
  std::string_view type = "text/plain; charset=utf-8";
  std::string text = {};
};

struct RequestLine {
  std::string_view method;
  std::string_view path;
  bool http_1_1 = false;
};

/// Without its query. An absolute target is of our host, whatever it says (RFC 9112 section 3.2.2).
std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == target.npos) return target;
  const std::size_t slash = target.find('/', scheme + 3);
  return slash == target.npos ? "/" : target.substr(slash);
}

std::optional<RequestLine> parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' '), second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) return std::nullopt;
  const std::string_view version = line.substr(second + 1);
  const RequestLine request{.method = line.substr(0, first),
                            .path = path_of(line.substr(first + 1, second - first - 1)),
                            .http_1_1 = version == "HTTP/1.1"};
  const bool known = request.http_1_1 || version == "HTTP/1.0";
  if (!known || !mqtt::net::is_http_token(request.method) || request.path.empty()) return std::nullopt;
  return request;
}

Answer refuse_request(std::string_view status, std::string text, std::string fields = {}) {
  return {.status = status, .fields = std::move(fields), .text = std::move(text)};
}

std::string written(const Answer& answer, bool with_text) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n{}",
                     answer.status, answer.type, answer.text.size(), answer.fields,
                     with_text ? answer.text : "");
}

std::string paths_of(std::span<const HttpPage> pages) {
  std::string paths;
  for (const HttpPage& page : pages) paths += fmt::format("{}{}", paths.empty() ? "" : " ", page.path);
  return paths;
}

Answer answer_request(const RequestLine& request, std::span<const HttpPage> pages) {
  const auto page = std::ranges::find(pages, request.path, &HttpPage::path);
  if (page == pages.end())
    return refuse_request("404 Not Found", fmt::format("there is only: {}\n", paths_of(pages)));
  if (request.method != "GET" && request.method != "HEAD")
    return refuse_request("405 Method Not Allowed", "this page can only be read\n", "Allow: GET, HEAD\r\n");
  HttpContent content = page->make();
  return {.status = content.fine ? "200 OK" : "503 Service Unavailable",
          .fields = std::string{page->fields},
          .type = page->content_type,
          .text = std::move(content.text)};
}

}  // namespace

std::string answer_to(std::string_view head, std::span<const HttpPage> pages) {
  if (!head.ends_with("\r\n\r\n"))
    return written(refuse_request("431 Request Header Fields Too Large",
                                  fmt::format("a request has at most {} bytes\n", http_head_max)),
                   true);
  const auto parsed = mqtt::net::parse_http_head(head);
  const auto request = parsed ? parse_request_line(parsed->start_line) : std::nullopt;
  // RFC 9112 section 3.2: HTTP/1.1 names the host, once.
  if (!request || (request->http_1_1 && !parsed->single("Host")))
    return written(refuse_request("400 Bad Request", "this is not a request of HTTP/1.1\n"), true);
  return written(answer_request(*request, pages), request->method != "HEAD");
}

}  // namespace mq
