#include "mqbench/histogram_encoding.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>

namespace mq {
namespace {

using mqtt::Bytes;
using mqtt::MutableBytes;
using Fault = std::unexpected<std::string>;

// The low byte of a V2 cookie says how wide counters are: 1 with this bit, that is LEB128.
constexpr std::uint32_t leb_bit = 0x10;
constexpr std::uint32_t plain_cookie = 0x1c849303 | leb_bit;
constexpr std::uint32_t compressed_cookie = 0x1c849304 | leb_bit;

/// Cookie, payload length, normalizing offset, digits: 4 bytes each; lowest, highest, ratio: 8 each.
constexpr std::size_t header_bytes = 40;
/// A LEB128 number of 64 bits: the ninth byte holds eight.
constexpr std::size_t number_bytes_max = 9;

template <class T>
void put(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof value * 8) - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xFF));
}

void put_number(std::string& out, std::int64_t value) {
  std::uint64_t rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (std::size_t n = 1; n < number_bytes_max && rest > 0x7F; ++n, rest >>= 7)
    out.push_back(static_cast<char>((rest & 0x7F) | 0x80));
  out.push_back(static_cast<char>(rest));
}

std::string plain_form(const Histogram& histogram) {
  const auto& counters = histogram.counters();
  std::string numbers;
  std::int64_t zeros = 0;
  for (const std::uint64_t count : counters) {
    if (count == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) put_number(numbers, zeros == 1 ? 0 : -zeros);
    zeros = 0;
    put_number(numbers, static_cast<std::int64_t>(count));
  }
  std::string plain;
  put(plain, plain_cookie);
  put(plain, static_cast<std::uint32_t>(numbers.size()));
  put(plain, std::uint32_t{0});
  put(plain, std::uint32_t{histogram.range().digits});
  put(plain, histogram.range().lowest);
  put(plain, histogram.range().highest);
  put(plain, std::bit_cast<std::uint64_t>(1.0));
  return plain + numbers;
}

/// Numbers, the highest byte first. Reading past the end gives zeros, and `ok` tells.
class BigEndian {
 public:
  explicit BigEndian(Bytes bytes) : bytes_{bytes} {}

  template <class T>
  T take() {
    ok_ = ok_ && bytes_.size() >= sizeof(T);
    if (!ok_) return 0;
    T value = 0;
    for (const std::uint8_t byte : bytes_.first(sizeof(T))) value = static_cast<T>(value << 8 | byte);
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] Bytes rest() const { return bytes_; }

 private:
  Bytes bytes_;
  bool ok_ = true;
};

/// Inflates piece by piece into what the caller has, so that a bomb ends where the caller wants.
class Inflater {
 public:
  explicit Inflater(Bytes input) {
    stream_.next_in = const_cast<Bytef*>(input.data());  // zlib's next_in is not const, and it reads only
    stream_.avail_in = static_cast<uInt>(input.size());
    ready_ = inflateInit(&stream_) == Z_OK;
  }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// How many bytes it has written: fewer than `into` holds at the end of the stream or at a fault.
  std::size_t fill(MutableBytes into) {
    stream_.next_out = into.data();
    stream_.avail_out = static_cast<uInt>(into.size());
    while (ready_ && result_ == Z_OK && stream_.avail_out > 0) result_ = inflate(&stream_, Z_NO_FLUSH);
    return into.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
  int result_ = Z_OK;
};

/// Nothing at a number that is cut off.
std::expected<std::int64_t, std::string> take_number(Bytes& bytes) {
  std::uint64_t value = 0;
  for (std::size_t n = 0; n < number_bytes_max; ++n) {
    if (n == bytes.size()) return Fault{"the counters are cut off"};
    const std::uint64_t byte = bytes[n];
    const bool last = n + 1 == number_bytes_max;
    value |= (last ? byte : byte & 0x7F) << (7 * n);
    if (!last && byte > 0x7F) continue;
    bytes = bytes.subspan(n + 1);
    break;
  }
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

std::expected<void, std::string> read_counters(Bytes bytes, Histogram& histogram) {
  const std::size_t counters = histogram.counters().size();
  std::size_t at = 0;
  while (!bytes.empty()) {
    const auto number = take_number(bytes);
    if (!number) return Fault{number.error()};
    // A zero is a run of one. The lowest of all numbers has no positive one.
    const std::uint64_t run =
        *number > 0 ? 1 : std::max(std::uint64_t{0} - static_cast<std::uint64_t>(*number), std::uint64_t{1});
    if (run > counters - at)
      return Fault{fmt::format("there are more than the {} counters of its range", counters)};
    if (*number > 0 && !histogram.add_to_counter(at, static_cast<std::uint64_t>(*number)))
      return Fault{"the counts are more than 2^63"};
    at += static_cast<std::size_t>(run);
  }
  return {};
}

std::expected<Histogram, std::string> read_plain(Inflater& inflater) {
  std::array<std::uint8_t, header_bytes> header;
  if (inflater.fill(header) < header.size()) return Fault{"its compressed part is damaged or cut off"};
  BigEndian in{header};
  if (in.take<std::uint32_t>() != plain_cookie) return Fault{"it is not of encoding V2"};
  const std::size_t length = in.take<std::uint32_t>();
  // The shift of the counters: only of auto-ranging histograms, whose ratio is not 1.
  in.take<std::uint32_t>();
  HistogramRange range;
  range.digits = in.take<std::uint32_t>();
  range.lowest = in.take<std::uint64_t>();
  range.highest = in.take<std::uint64_t>();
  // hdr-histogram-js writes a whole 1 here, and another one for the shift, and means nothing by them.
  const auto ratio = in.take<std::uint64_t>();
  if (ratio != std::bit_cast<std::uint64_t>(1.0) && ratio != 1) return Fault{"it is one of fractions"};
  auto histogram = Histogram::make(range);
  if (!histogram) return histogram;
  if (length > histogram->counters().size() * number_bytes_max)
    return Fault{"it is longer than its range allows"};
  std::string numbers(length, '\0');
  const std::size_t filled = inflater.fill({reinterpret_cast<std::uint8_t*>(numbers.data()), numbers.size()});
  if (filled < length) return Fault{"its compressed part is damaged or cut off"};
  if (auto read = read_counters(mqtt::as_bytes(numbers), *histogram); !read) return Fault{read.error()};
  return histogram;
}

}  // namespace

std::string encode_histogram(const Histogram& histogram) {
  const std::string plain = plain_form(histogram);
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  std::string deflated(size, '\0');
  // It fails for lack of memory alone, since the room is enough: what is left then is an empty stream.
  if (compress(reinterpret_cast<Bytef*>(deflated.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
               static_cast<uLong>(plain.size())) != Z_OK)
    size = 0;
  std::string out;
  put(out, compressed_cookie);
  put(out, static_cast<std::uint32_t>(size));
  out.append(deflated, 0, size);
  return mqtt::to_base64(mqtt::as_bytes(out));
}

std::expected<Histogram, std::string> decode_histogram(std::string_view base64) {
  const auto bytes = mqtt::from_base64(base64);
  if (!bytes) return Fault{"it is not base64"};
  BigEndian in{mqtt::as_bytes(*bytes)};
  const auto cookie = in.take<std::uint32_t>();
  const std::size_t length = in.take<std::uint32_t>();
  if (!in.ok() || cookie != compressed_cookie) return Fault{"it is not of the compressed encoding V2"};
  if (length > in.rest().size()) return Fault{"its compressed part is damaged or cut off"};
  Inflater inflater{in.rest().first(length)};
  return read_plain(inflater);
}

}  // namespace mq
