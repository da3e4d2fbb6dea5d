#include <mqtt/net/pass_through.hpp>

#include <utility>

#include <mqtt/net/parts.hpp>

namespace mqtt::net {

bool PassThroughStream::succeeded() {
  const Lifetime::Watch watch{lifetime()};
  succeed();
  return !watch.ended();
}

void PassThroughStream::process() {
  if (phase() == Phase::handshake && !shake_hands()) return;
  const Lifetime::Watch watch{lifetime()};
  while (wants_data() && !intake().empty()) {
    const Bytes bytes = intake().front();
    deliver(bytes);
    if (watch.ended()) return;
    intake().skip(bytes.size());
  }
}

void PassThroughStream::on_input_end() {
  if (phase() == Phase::open) return deliver_end();
  fail_with(cut_short());
}

/// Nothing to add to the bytes, and so no need to hold them.
Result<std::size_t> PassThroughStream::write(std::span<const iovec> parts) {
  if (auto fault = write_fault()) return std::unexpected(std::move(*fault));
  const std::size_t offered = Parts{parts}.left();
  if (!output().empty()) return taken(0, offered);  // the handshake's own come first
  const auto sent = inner().write(parts);
  return sent ? taken(*sent, offered) : sent;
}

}  // namespace mqtt::net
