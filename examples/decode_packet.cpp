// A packet, byte by byte as it came, in one line as mqspy shows it; or what is wrong with it.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/framer.hpp>
#include <mqtt/inspect/describe.hpp>

int main() {
  // PUBLISH, QoS 1: topic "a/b", packet identifier 7, no properties, payload "on"
  constexpr std::array<std::uint8_t, 12> received{0x32, 10, 0, 3, 'a', '/', 'b', 0, 7, 0, 'o', 'n'};
  mqtt::Bytes input{received};
  mqtt::Framer framer;
  const auto frame = framer.next(input);  // more than one call where more than one packet may have come
  if (!frame || !*frame) return 1;

  const auto packet = mqtt::decode(**frame, {.version = mqtt::Version::v5, .sender = mqtt::Sender::client});
  if (!packet) {
    std::printf("not valid, byte %u\n", packet.error().offset);
    return 1;
  }
  std::string line;
  mqtt::append_description(line, *packet, mqtt::Version::v5);
  std::puts(line.c_str());
  return 0;
}
