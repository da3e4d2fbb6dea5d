// CBOR (RFC 8949). nlohmann/json reads it too, but refuses dates (tags 0 and 1) and the integer keys that
// SenML and COSE are made of.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_writer.hpp"
#include "decode/formats.hpp"

namespace mq {
namespace {

enum class Major : std::uint8_t { unsigned_integer, negative, bytes, text, array, map, tag, simple };

/// The head of a data item (3.).
struct Head {
  Major major;
  std::uint8_t info;  ///< the low five bits
  std::uint64_t argument;
};

constexpr std::uint8_t one_byte = 24, eight_bytes = 27, indefinite = 31, break_byte = 0xFF;

double half_to_double(std::uint64_t bits) {  // appendix D
  const auto exponent = static_cast<int>(bits >> 10 & 0x1F);
  const auto fraction = static_cast<double>(bits & 0x3FF);
  double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  if (exponent == 31) value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
  return (bits & 0x8000) != 0 ? -value : value;
}

class CborReader {
 public:
  CborReader(mqtt::Bytes payload, std::string& out) : payload_{payload}, json_{out} {}

  std::expected<void, std::string> read() {
    if (value() && at_ == payload_.size()) return {};
    if (fault_.empty()) fault_ = fmt::format("is broken at byte {}", at_);
    return std::unexpected(std::move(fault_));
  }

 private:
  std::optional<Head> head() {
    if (at_ >= payload_.size()) return std::nullopt;
    const std::uint8_t first = payload_[at_];
    Head head{static_cast<Major>(first >> 5), static_cast<std::uint8_t>(first & 0x1F), 0};
    if (head.info > eight_bytes && head.info != indefinite) return std::nullopt;
    const std::size_t size =
        head.info < one_byte || head.info == indefinite ? 0 : std::size_t{1} << (head.info - one_byte);
    if (payload_.size() - at_ - 1 < size) return std::nullopt;
    if (size == 0) head.argument = head.info;
    for (std::size_t i = 1; i <= size; ++i) head.argument = head.argument << 8 | payload_[at_ + i];
    at_ += 1 + size;
    return head;
  }

  bool at_break() const { return at_ < payload_.size() && payload_[at_] == break_byte; }

  bool value() {
    const auto read = head();
    return read && value(*read);
  }

  bool value(const Head& head) {
    const bool may_be_indefinite = head.major >= Major::bytes && head.major <= Major::map;
    if (head.info == indefinite && !may_be_indefinite) return false;
    switch (head.major) {
      case Major::unsigned_integer: return json_.number(head.argument), true;
      case Major::negative: return json_.raw(negative(head.argument)), true;
      case Major::bytes: return bytes(head);
      case Major::text: return text(head);
      case Major::array: return nested([this, &head] { return array(head); });
      case Major::map: return nested([this, &head] { return map(head); });
      case Major::tag: return nested([this] { return value(); });
      case Major::simple: break;
    }
    return simple(head);
  }

  /// -1 - argument, which may be below what 64 bits hold.
  static std::string negative(std::uint64_t argument) {
    if (argument == std::numeric_limits<std::uint64_t>::max()) return "-18446744073709551616";
    return fmt::format("-{}", argument + 1);
  }

  template <class Read>
  bool nested(Read read) {
    if (++depth_ > decoded_depth_max) {
      fault_ = fmt::format("is nested deeper than {} levels", decoded_depth_max);
      return false;
    }
    const bool good = read();
    --depth_;
    return good;
  }

  /// The bytes of a string; of one in pieces (3.2.3) all of them, each a definite one of the same kind.
  std::optional<std::string> string_bytes(const Head& first) {
    std::string all;
    if (first.info != indefinite)
      return append_piece(all, first.argument) ? std::optional{all} : std::nullopt;
    while (!at_break()) {
      const auto piece = head();
      if (!piece || piece->major != first.major || piece->info == indefinite) return std::nullopt;
      if (!append_piece(all, piece->argument)) return std::nullopt;
    }
    ++at_;
    return all;
  }

  bool append_piece(std::string& all, std::uint64_t size) {
    if (payload_.size() - at_ < size) return false;
    all += mqtt::as_text(payload_.subspan(at_, size));
    at_ += size;
    return true;
  }

  bool bytes(const Head& head) {
    const auto read = string_bytes(head);
    if (!read) return false;
    json_.begin_object();
    json_.key("base64");
    json_.base64(mqtt::as_bytes(*read));
    json_.end_object();
    return true;
  }

  bool text(const Head& head) {
    const auto read = string_bytes(head);
    if (read) json_.text_or_base64(mqtt::as_bytes(*read));
    return read.has_value();
  }

  template <class Item>
  bool items(const Head& head, Item item) {
    if (head.info != indefinite) {
      for (std::uint64_t i = 0; i < head.argument; ++i)
        if (!item()) return false;
      return true;
    }
    while (!at_break())
      if (!item()) return false;
    ++at_;
    return true;
  }

  bool array(const Head& head) {
    json_.begin_array();
    const bool good = items(head, [this] { return value(); });
    json_.end_array();
    return good;
  }

  bool map(const Head& head) {
    json_.begin_object();
    const bool good = items(head, [this] { return key() && value(); });
    json_.end_object();
    return good;
  }

  /// Texts, bytes (as base64) and integers can be keys of JSON.
  bool key() {
    const auto read = head();
    if (!read || (read->info == indefinite && read->major < Major::bytes)) return false;
    switch (read->major) {
      case Major::unsigned_integer: return json_.key(std::to_string(read->argument)), true;
      case Major::negative: return json_.key(negative(read->argument)), true;
      case Major::bytes:
      case Major::text: break;
      default: fault_ = "has a map key that is neither text nor an integer"; return false;
    }
    const auto name = string_bytes(*read);
    if (!name) return false;
    write_key(json_, read->major == Major::text ? *name : mqtt::to_base64(mqtt::as_bytes(*name)));
    return true;
  }

  bool simple(const Head& head) {
    constexpr std::uint8_t no = 20, yes = 21, null = 22, undefined = 23, half = 25, single = 26;
    switch (head.info) {
      case no: return json_.boolean(false), true;
      case yes: return json_.boolean(true), true;
      case null:
      case undefined: return json_.null(), true;
      case half: return write_double(json_, half_to_double(head.argument)), true;
      case single:
        return write_float(json_, std::bit_cast<float>(static_cast<std::uint32_t>(head.argument))), true;
      case eight_bytes: return write_double(json_, std::bit_cast<double>(head.argument)), true;
      default: return json_.number(head.argument), true;  // a value that nobody has named yet
    }
  }

  mqtt::Bytes payload_;
  JsonWriter json_;
  std::size_t at_ = 0;
  unsigned depth_ = 0;
  std::string fault_;
};

}  // namespace

std::expected<void, std::string> decode_cbor(mqtt::Bytes payload, std::string& json) {
  return CborReader{payload, json}.read();
}

}  // namespace mq
