// What a connection through a proxy begins with: a header, the wish for more, or an error; and the same
// however it is cut.
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <mqtt/net/proxy_header.hpp>

using namespace mqtt;
using namespace mqtt::net;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool wants_more(const Result<std::optional<ProxyHeader>>& header) { return header && !*header; }

bool same(const Result<std::optional<ProxyHeader>>& a, const Result<std::optional<ProxyHeader>>& b) {
  if (!a || !b) return !a && !b && a.error().context == b.error().context;
  if (!*a || !*b) return !*a && !*b;
  const auto text = [](const ProxyHeader& header) { return header.source ? header.source->text() : ""; };
  return (*a)->size == (*b)->size && text(**a) == text(**b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes received{data, size};
  const auto whole = parse_proxy_header(received);
  if (!whole) require(whole.error().code == EPROTO && !whole.error().context.empty());
  if (wants_more(whole)) require(size < proxy_v2_max_bytes);
  if (whole && *whole) require((*whole)->size <= std::min(size, proxy_v2_max_bytes));
  // Byte by byte, it says the same as soon as it says anything.
  bool decided = false;
  for (std::size_t cut = 0; cut <= std::min(size, proxy_v2_max_bytes); ++cut) {
    const auto part = parse_proxy_header(received.first(cut));
    require(wants_more(part) ? !decided : same(part, whole));
    decided = !wants_more(part);
    if (whole && *whole) require(decided == (cut >= (*whole)->size));
  }
  return 0;
}
