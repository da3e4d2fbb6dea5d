#include "common/line_splitter.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace mq {

std::unexpected<mqtt::Error> LineSplitter::too_long() const {
  return mqtt::fail(mqtt::ErrorDomain::system, EMSGSIZE,
                    fmt::format("a record is longer than {} bytes", record_max_));
}

/// False if that makes the record too long, its separator or the beginning of it not counted.
bool LineSplitter::carry(mqtt::Bytes& input, std::size_t size) {
  if (carry_.size() + size > record_max_ + separator_.size()) return false;
  carry_.append(mqtt::as_text(input.first(size)));
  input = input.subspan(size);
  return carry_.size() < record_max_ + separator_.size() || carry_.ends_with(separator_);
}

mqtt::Result<std::optional<mqtt::Bytes>> LineSplitter::next(mqtt::Bytes& input) {
  if (carry_done_) {
    carry_.clear();
    carry_done_ = false;
  }
  if (input.empty()) return std::nullopt;
  if (!carry_.empty()) return next_from_carry(input);
  const auto* found = static_cast<const std::uint8_t*>(
      ::memmem(input.data(), input.size(), separator_.data(), separator_.size()));
  if (!found) {
    if (!carry(input, input.size())) return too_long();
    return std::nullopt;
  }
  const auto size = static_cast<std::size_t>(found - input.data());
  if (size > record_max_) return too_long();
  const mqtt::Bytes record = input.first(size);
  input = input.subspan(size + separator_.size());
  return record;
}

/// Moves input over up to each byte that may end the separator, which may have begun in the carry.
mqtt::Result<std::optional<mqtt::Bytes>> LineSplitter::next_from_carry(mqtt::Bytes& input) {
  while (!input.empty()) {
    const auto* found =
        static_cast<const std::uint8_t*>(std::memchr(input.data(), separator_.back(), input.size()));
    const std::size_t size = found ? static_cast<std::size_t>(found - input.data()) + 1 : input.size();
    if (!carry(input, size)) return too_long();
    if (!found || !carry_.ends_with(separator_)) continue;
    carry_done_ = true;
    return mqtt::as_bytes(carry_).first(carry_.size() - separator_.size());
  }
  return std::nullopt;
}

std::optional<mqtt::Bytes> LineSplitter::finish() {
  if (carry_done_ || carry_.empty()) return std::nullopt;
  carry_done_ = true;
  return mqtt::as_bytes(carry_);
}

}  // namespace mq
