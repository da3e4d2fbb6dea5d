#include "mqspy/packet_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <mqtt/inspect/dissect.hpp>
#include <mqtt/util/base64.hpp>

#include "common/spelling.hpp"
#include "common/stdio.hpp"

namespace mq::spy {
namespace {

/// As much as one packet can be, in the longest of the ways to write it.
constexpr std::size_t input_max_bytes = std::size_t{4} * mqtt::packet_size_max;

std::optional<unsigned> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

bool is_between(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':' || c == ','; }

std::string without_blanks(std::string_view text) {
  std::string out;
  std::ranges::remove_copy_if(text, std::back_inserter(out),
                              [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
  return out;
}

bool is_readable_file(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

}  // namespace

std::optional<std::string> from_hex(std::string_view text) {
  std::string out;
  std::optional<unsigned> high;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool prefix = !high && text[i] == '0' && i + 1 < text.size() && (text[i + 1] | 0x20) == 'x';
    if (prefix && ++i) continue;
    const auto digit = digit_of(text[i]);
    if (!digit && (high || !is_between(text[i]))) return std::nullopt;
    if (!digit) continue;
    if (high) out.push_back(static_cast<char>(*high << 4 | *digit));
    high = high ? std::nullopt : digit;
  }
  if (high || out.empty()) return std::nullopt;
  return out;
}

std::string bytes_of(std::string_view content) {
  if (auto hex = from_hex(content)) return *std::move(hex);
  auto base64 = mqtt::from_base64(without_blanks(content));
  return base64 && !base64->empty() ? *std::move(base64) : std::string{content};
}

mqtt::Result<std::string> read_packets(const std::vector<std::string>& arguments) {
  std::string joined;
  for (const std::string& argument : arguments) (joined += joined.empty() ? "" : " ") += argument;
  if (arguments.empty() || joined == "-" ||
      (arguments.size() == 1 && !from_hex(joined) && is_readable_file(joined))) {
    auto content = read_file(arguments.empty() ? "-" : joined, input_max_bytes);
    if (!content) return content;
    return bytes_of(*content);
  }
  if (auto hex = from_hex(joined)) return *std::move(hex);
  if (auto base64 = mqtt::from_base64(without_blanks(joined)); base64 && !base64->empty())
    return *std::move(base64);
  return mqtt::fail(
      mqtt::ErrorDomain::system, EINVAL,
      in_quotes(joined) + " is neither hexadecimal digits nor base64 nor a file that can be read");
}

std::optional<std::size_t> whole_packet(mqtt::Bytes bytes) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < std::min<std::size_t>(bytes.size(), 5); ++i) {
    length |= std::size_t{bytes[i] & 0x7Fu} << (7 * (i - 1));
    if ((bytes[i] & 0x80) != 0) continue;
    const std::size_t size = 1 + i + length;
    return size <= bytes.size() ? std::optional{size} : std::nullopt;
  }
  return std::nullopt;
}

mqtt::Sender guess_sender(mqtt::Bytes packet, mqtt::Version version) {
  using enum mqtt::PacketType;
  const auto type = static_cast<mqtt::PacketType>(packet[0] >> 4);
  if (type == connack || type == suback || type == unsuback || type == pingresp) return mqtt::Sender::server;
  if (type == connect || type == subscribe || type == unsubscribe || type == pingreq)
    return mqtt::Sender::client;
  mqtt::Dissection d;
  mqtt::dissect(d, packet, {version, mqtt::Sender::client});
  if (d.faults.empty()) return mqtt::Sender::client;
  mqtt::dissect(d, packet, {version, mqtt::Sender::server});
  return d.faults.empty() ? mqtt::Sender::server : mqtt::Sender::client;
}

}  // namespace mq::spy
