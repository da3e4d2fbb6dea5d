#pragma once
#include <expected>

#include <mqtt/codec/clauses.hpp>
#include <mqtt/codec/decode_error.hpp>
#include <mqtt/codec/fault_list.hpp>
#include <mqtt/codec/property.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt {

/// Reads the fields of one packet in order and remembers the first failure; after it every read
/// gives an empty value, so that decoders are straight lines. Offsets count from the packet's start.
/// With a FaultList it goes on behind a value that is wrong and lists all faults; only what hides where the
/// next field begins ends it.
class Reader {
 public:
  /// `start` is where `bytes` begin in the packet: the size of the fixed header.
  Reader(Bytes bytes, Version version, std::uint32_t start = 0, FaultList* all = nullptr)
      : begin_{bytes.data()},
        at_{bytes.data()},
        end_{bytes.data() + bytes.size()},
        start_{start},
        version_{version},
        all_{all} {}

  /// What is read next is where it seems to be.
  [[nodiscard]] bool ok() const { return error_.what.empty(); }
  /// What ended the reading.
  [[nodiscard]] const DecodeError& error() const { return error_; }
  /// Faults so far: to be compared with what it was before a field, which is not judged for a second one.
  [[nodiscard]] std::size_t faults() const { return all_ ? all_->met() : ok() ? 0 : 1; }
  [[nodiscard]] Version version() const { return version_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] std::uint32_t offset() const { return start_ + static_cast<std::uint32_t>(at_ - begin_); }

  std::uint8_t byte() {
    if (!has(1)) return 0;
    return *at_++;
  }

  std::uint16_t two_byte_integer() {
    if (!has(2)) return 0;
    const auto value = static_cast<std::uint16_t>(at_[0] << 8 | at_[1]);
    at_ += 2;
    return value;
  }

  std::uint32_t four_byte_integer() {
    const std::uint32_t high = two_byte_integer();
    return high << 16 | two_byte_integer();
  }

  std::uint32_t variable_byte_integer();

  /// Binary Data (1.5.6); a UTF-8 string that is not checked.
  Bytes binary_data() {
    const std::uint16_t size = two_byte_integer();
    return has(size) ? take(size) : Bytes{};
  }

  /// UTF-8 Encoded String (1.5.4).
  std::string_view utf8_string() {
    const Bytes bytes = binary_data();
    if (const auto fault = find_utf8_error(bytes)) [[unlikely]]
      fail_utf8(bytes, *fault);
    return as_text(bytes);
  }

  /// A packet identifier, which must not be 0.
  PacketId packet_id(Clause clause) {
    const std::uint32_t at = offset();
    const PacketId id = two_byte_integer();
    if (id == 0) fail(clause, "packet identifier is 0", ReasonCode::protocol_error, at);
    return id;
  }

  /// Property length and the properties of `place`; nothing before 5.0.
  PropertiesView properties(PropertyPlace place, Sender sender) {
    if (version_ != Version::v5) return {};
    if (at_ != end_ && *at_ == 0) [[likely]] {
      ++at_;
      return {};
    }
    return some_properties(place, sender);
  }

  /// All that is left, which stays to be read.
  [[nodiscard]] Bytes bytes_left() const { return {at_, left()}; }

  /// All that is left.
  Bytes rest() { return take(left()); }

  void require(bool holds, Clause clause, std::string_view what, ReasonCode reason, std::uint32_t at) {
    if (!holds) [[unlikely]]
      fail(clause, what, reason, at);
  }

  /// A value is wrong.
  void fail(Clause clause, std::string_view what, ReasonCode reason, std::uint32_t at);
  /// Nothing tells where the next field begins.
  void lose(Clause clause, std::string_view what, ReasonCode reason, std::uint32_t at);
  /// The fields behind are not certain: they are read, but not judged.
  void doubt() {
    if (all_) all_->doubt();
  }

  /// `value`, unless something failed or bytes are left over; with a FaultList what there is of it.
  template <class T>
  std::expected<T, DecodeError> done(const T& value) {
    if (at_ != end_) [[unlikely]]
      fail(clauses::length_fits, "bytes are left over after the last field", ReasonCode::malformed_packet,
           offset());
    if (!ok() && !all_) [[unlikely]]
      return std::unexpected(error_);
    return value;
  }

 private:
  bool has(std::size_t size) {
    if (left() >= size) [[likely]]
      return true;
    fail_truncated();
    return false;
  }

  Bytes take(std::size_t size) {
    const Bytes taken{at_, size};
    at_ += size;
    return taken;
  }

  void fail_truncated();
  void fail_utf8(Bytes field, Utf8Error fault);
  PropertiesView some_properties(PropertyPlace place, Sender sender);

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint32_t start_;
  Version version_;
  FaultList* all_;
  DecodeError error_{};
};

}  // namespace mqtt
