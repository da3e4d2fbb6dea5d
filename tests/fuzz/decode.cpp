// First byte: version and sender; the rest is one packet. What decodes must survive encode -> decode ->
// encode.
#include <cstdlib>

#include "support/packets.hpp"

using namespace mqtt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const DecodeContext context{test::all_versions[data[0] % 3],
                              data[0] & 0x80 ? Sender::client : Sender::server};
  Bytes input{data + 1, size - 1};
  Framer framer;
  const auto frame = framer.next(input);
  if (!frame || !*frame) return 0;
  const auto packet = decode(**frame, context);
  if (!packet) {
    if (packet.error().what.empty() || packet.error().clause.empty() || packet.error().offset > size)
      std::abort();
    return 0;
  }
  const auto* connect = std::get_if<ConnectView>(&*packet);
  const Version version = connect ? connect->version : context.version;
  const auto once = test::encoded(*packet, version);
  if (once.empty()) std::abort();
  const auto again = decode(test::frame_of(once), context);
  if (!again || test::encoded(*again, version) != once) std::abort();
  return 0;
}
