#include "common/record_splitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mq {
namespace {

constexpr std::size_t length_bytes = 4;

std::size_t length_of(mqtt::Bytes prefix) {
  std::size_t length = 0;
  for (std::size_t n = 0; n < length_bytes; ++n) length = length << 8 | prefix[n];
  return length;
}

std::unexpected<mqtt::Error> record_too_long(std::size_t record_max) {
  return mqtt::fail(mqtt::ErrorDomain::system, EMSGSIZE,
                    fmt::format("a record is longer than {} bytes", record_max));
}

}  // namespace

/// True once the carry has `size` bytes.
bool LengthSplitter::carry_up_to(std::size_t size, mqtt::Bytes& input) {
  const std::size_t taken = std::min(size - carry_.size(), input.size());
  carry_.append(mqtt::as_text(input.first(taken)));
  input = input.subspan(taken);
  return carry_.size() == size;
}

mqtt::Result<std::optional<mqtt::Bytes>> LengthSplitter::next(mqtt::Bytes& input) {
  if (carry_done_) {
    carry_.clear();
    carry_done_ = false;
  }
  if (carry_.empty() && input.size() >= length_bytes) {
    const std::size_t length = length_of(input);
    if (length > record_max_) return record_too_long(record_max_);
    if (input.size() >= length_bytes + length) {
      const mqtt::Bytes record = input.subspan(length_bytes, length);
      input = input.subspan(length_bytes + length);
      return record;
    }
  }
  if (carry_.size() < length_bytes && !carry_up_to(length_bytes, input)) return std::nullopt;
  const std::size_t length = length_of(mqtt::as_bytes(carry_));
  if (length > record_max_) return record_too_long(record_max_);
  if (!carry_up_to(length_bytes + length, input)) return std::nullopt;
  carry_done_ = true;
  return mqtt::as_bytes(carry_).subspan(length_bytes);
}

mqtt::Result<void> LengthSplitter::finish() const {
  if (carry_done_ || carry_.empty()) return {};
  if (carry_.size() < length_bytes)
    return mqtt::fail(mqtt::ErrorDomain::system, EBADMSG, "the input ends inside the length of a record");
  return mqtt::fail(mqtt::ErrorDomain::system, EBADMSG,
                    fmt::format("the input ends after {} of the {} bytes of a record",
                                carry_.size() - length_bytes, length_of(mqtt::as_bytes(carry_))));
}

mqtt::Result<std::optional<mqtt::Bytes>> RecordSplitter::gather(mqtt::Bytes& input) {
  if (whole_.size() + input.size() > mqtt::remaining_length_max)
    return mqtt::fail(
        mqtt::ErrorDomain::system, EFBIG,
        fmt::format("more than {} bytes do not fit into a message", mqtt::remaining_length_max));
  whole_.append(mqtt::as_text(input));
  input = {};
  return std::nullopt;
}

mqtt::Result<std::optional<mqtt::SharedBytes>> RecordSplitter::finish() {
  if (framing_ == Framing::whole) return mqtt::SharedBytes::take(std::exchange(whole_, {}));
  if (framing_ == Framing::length_prefix) {
    if (auto complete = lengths_.finish(); !complete) return std::unexpected(std::move(complete.error()));
    return std::nullopt;
  }
  const auto last = lines_.finish();
  if (!last) return std::nullopt;
  auto record = mqtt::SharedBytes::take(mqtt::to_string(*last));
  lines_ = LineSplitter{separator_};
  return record;
}

void RecordSplitter::expect(std::size_t bytes) {
  if (framing_ == Framing::whole && bytes <= mqtt::remaining_length_max) whole_.reserve(bytes);
}

}  // namespace mq
