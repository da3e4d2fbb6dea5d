#include <mqtt/codec/framer.hpp>

#include <algorithm>

#include <mqtt/codec/clauses.hpp>

namespace mqtt {
namespace {

/// A buffer that a large packet grew is not kept for the small ones that follow: thousands of connections
/// have one each.
constexpr std::size_t kept_capacity_bytes = 4 * 1024;

DecodeError error(ReasonCode reason, Clause clause, std::string_view what, std::uint32_t offset) {
  return {reason, clause.id(Version::v5), what, offset};
}

}  // namespace

std::expected<std::optional<Framer::Header>, DecodeError> Framer::read_header(Bytes start) const {
  std::uint32_t length = 0;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    if (i >= start.size()) return std::nullopt;
    length |= (start[i] & 0x7Fu) << (7 * (i - 1));
    if (start[i] & 0x80) continue;
    if (start[i] == 0 && i > 1)
      return std::unexpected(error(ReasonCode::malformed_packet, clauses::varint_minimal,
                                   "remaining length is not in its shortest form", 1));
    const std::uint32_t packet_size = length + i + 1;
    if (packet_size > max_packet_size_)
      return std::unexpected(error(ReasonCode::packet_too_large, clauses::packet_size,
                                   "packet is larger than the Maximum Packet Size", 1));
    return Header{static_cast<std::uint8_t>(i + 1), packet_size};
  }
  return std::unexpected(error(ReasonCode::malformed_packet, clauses::varint_four_bytes,
                               "remaining length is longer than four bytes", 1));
}

std::expected<std::optional<Frame>, DecodeError> Framer::next(Bytes& input) {
  let_go();
  if (!carry_->empty()) return next_from_carry(input);
  if (input.empty()) return std::nullopt;
  const auto header = read_header(input);
  if (!header) return std::unexpected(header.error());
  if (!*header || (*header)->packet_size > input.size()) {
    carry(input, input.size());
    return std::nullopt;
  }
  const Frame frame{input.first((*header)->packet_size), (*header)->size};
  input = input.subspan((*header)->packet_size);
  return frame;
}

std::expected<std::optional<Frame>, DecodeError> Framer::next_from_carry(Bytes& input) {
  auto header = read_header(*carry_);
  while (header && !*header && !input.empty()) {  // the header itself was cut
    carry(input, 1);
    header = read_header(*carry_);
  }
  if (!header) return std::unexpected(header.error());
  if (!*header) return std::nullopt;
  const std::size_t missing = (*header)->packet_size - carry_->size();
  carry(input, std::min(missing, input.size()));
  if (carry_->size() < (*header)->packet_size) return std::nullopt;
  carry_done_ = true;
  return Frame{*carry_, (*header)->size};
}

void Framer::carry(Bytes& input, std::size_t size) {
  std::vector<std::uint8_t>& kept = carry_.make();
  kept.insert(kept.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
  input = input.subspan(size);
}

void Framer::reset() {
  carry_done_ = false;
  if (carry_->capacity() > kept_capacity_bytes) carry_.reset();
  if (carry_) carry_.make().clear();
}

}  // namespace mqtt
