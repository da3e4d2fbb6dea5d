// First byte: version and sender; the rest is taken apart. Fields must cover the packet, whatever it is, and
// the fault must be the decoder's.
#include <cstdlib>

#include <mqtt/codec/fault_list.hpp>

#include "support/dissection.hpp"
#include "support/packets.hpp"

using namespace mqtt;

namespace {

/// Whatever could be read of it can be shown.
void describe(const Frame& frame, DecodeContext context) {
  const Reading reading = decode_all(frame, context);
  if (reading.faults.size() > FaultList::faults_max) std::abort();
  if (reading.faults.empty() && reading.body_read) std::abort();
  std::string line;
  if (reading.packet)
    append_description(line, *reading.packet, context.version,
                       {.size = frame.bytes.size(), .body_read = reading.body_read});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const DecodeContext context{test::all_versions[data[0] % 3],
                              data[0] & 0x80 ? Sender::client : Sender::server};
  const Bytes input{data + 1, size - 1};
  Dissection d;
  dissect(d, input, context);
  Framer framer;
  Bytes rest = input;
  const auto frame = framer.next(rest);
  if (frame && *frame) {
    if (!test::tiling_fault(d, (**frame).bytes).empty()) std::abort();
    const auto packet = decode(**frame, context);
    if (packet.has_value() != d.faults.empty()) std::abort();
    if (!packet &&
        (packet.error().offset != d.faults[0].offset || packet.error().clause != d.faults[0].clause))
      std::abort();
    describe(**frame, context);
    if (packet && d.fields.back().kind == FieldKind::raw) std::abort();
  } else if (d.faults.empty()) {
    std::abort();
  }
  std::string text;
  for (const Field& field : d.fields) append_value(text, field);
  return 0;
}
