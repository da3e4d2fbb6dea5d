// What proxies answer. First byte: bit 0 SOCKS or HTTP, bit 1 with a login; the rest: their bytes.
#include <algorithm>
#include <cstdlib>

#include <mqtt/net/http_connect.hpp>
#include <mqtt/net/socks.hpp>

using namespace mqtt;
using namespace mqtt::net;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_one_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

/// How many bytes were taken, and how it ended.
struct Outcome {
  std::size_t taken = 0;
  bool open = false;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

template <class Dialog>
Outcome listen(Dialog dialog, Bytes answers) {
  Outcome outcome;
  require(dialog.begin().has_value());
  for (;;) {
    const auto step = dialog.receive(answers);
    if (!step) {
      require(step.error().domain == ErrorDomain::proxy && step.error().code != 0);
      require(!step.error().context.empty() && is_one_line(step.error().context));
      outcome.failed = true;
      return outcome;
    }
    require(step->used <= answers.size());
    if (step->used == 0) {
      require(!step->open && step->reply.empty());
      return outcome;
    }
    outcome.taken += step->used;
    outcome.open = step->open;
    if (step->open) return outcome;
    answers = answers.subspan(step->used);
  }
}

/// A dialog that hears the same bytes one by one comes to the same end.
template <class Dialog>
void check(const Dialog& dialog, Bytes answers) {
  const Outcome whole = listen(dialog, answers);
  Dialog slow = dialog;
  Outcome outcome;
  std::size_t start = 0;
  for (std::size_t end = 1; end <= answers.size() && !outcome.open && !outcome.failed; ++end) {
    const auto step = slow.receive(answers.subspan(start, end - start));
    outcome.failed = !step;
    if (!step) break;
    start += step->used;
    outcome.taken = start;
    outcome.open = step->open;
  }
  require(outcome.open == whole.open && outcome.failed == whole.failed);
  require(!whole.open || outcome == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t quick_bytes = 4096;  // each byte is a step
  if (size == 0 || size > quick_bytes) return 0;
  ProxyServer proxy{(data[0] & 1) != 0 ? ProxyKind::http : ProxyKind::socks5h, {"p", 1}};
  if ((data[0] & 2) != 0) proxy.user_name = "u";
  const Bytes answers{data + 1, size - 1};
  if (proxy.kind == ProxyKind::http)
    check(HttpConnectDialog{proxy, {"h", 1883}}, answers);
  else
    check(SocksDialog{proxy, {"h", 1883}}, answers);
  return 0;
}
