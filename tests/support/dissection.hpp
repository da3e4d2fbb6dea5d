#pragma once
#include <string>

#include <mqtt/inspect/dissect.hpp>

namespace mqtt::test {

/// What is wrong with where the fields of a dissection stand; empty if nothing is: fields of whole bytes in
/// order, without gap, up to `size`, and parts that share out the byte before them.
inline std::string tiling_fault(const Dissection& d, Bytes packet) {
  std::size_t end = 0;
  unsigned bits = 0xFF;
  for (const Field& field : d.fields) {
    const bool part = field.bits != 0;
    if (part && (field.offset + 1 != end || field.size != 1)) return "a part is not in the byte before it";
    if (part && bits == 0xFF) bits = 0;
    if (part && (bits & field.bits) != 0) return "parts overlap";
    if (part) bits |= field.bits;
    if (part) continue;
    if (bits != 0xFF) return "parts leave bits out";
    if (field.offset != end || field.size == 0) return "fields overlap, or leave bytes out";
    end += field.size;
  }
  if (bits != 0xFF) return "parts leave bits out";
  return end == packet.size() ? "" : "fields do not end where the packet ends";
}

}  // namespace mqtt::test
