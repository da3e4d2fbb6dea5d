#include "mqbench/stamp.hpp"

#include <mqtt/util/crc32.hpp>

namespace mq {
namespace {

constexpr std::uint8_t magic = 0xB5;
constexpr std::size_t crc_at = 28;

template <std::size_t Size>
std::uint8_t* put(std::uint8_t* at, std::uint64_t value) {
  for (std::size_t n = 0; n < Size; ++n) at[n] = static_cast<std::uint8_t>(value >> 8 * (Size - 1 - n));
  return at + Size;
}

template <std::size_t Size>
std::uint64_t take(const std::uint8_t* at) {
  std::uint64_t value = 0;
  for (std::size_t n = 0; n < Size; ++n) value = value << 8 | at[n];
  return value;
}

std::uint64_t ticks(mqtt::TimePoint time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// The time nearest to `now` of which these are the low 48 bits.
mqtt::TimePoint whole_time(std::uint64_t low, mqtt::TimePoint now) {
  constexpr unsigned missing = 16;
  const auto distance = static_cast<std::int64_t>((low - ticks(now)) << missing) >> missing;
  return now + mqtt::Duration{distance};
}

std::uint32_t crc_of(mqtt::Bytes payload, Covered covered) {
  const mqtt::Bytes rest = payload.subspan(Stamp::size);
  const std::uint32_t before = covered == Covered::payload ? mqtt::crc32(rest) : 0;
  return mqtt::crc32(payload.first(crc_at), before);
}

}  // namespace

void write_stamp(const Stamp& stamp, mqtt::MutableBytes payload, Covered covered) {
  std::uint8_t* at = put<1>(payload.data(), magic);
  at = put<3>(at, stamp.run);
  at = put<4>(at, stamp.stream);
  at = put<8>(at, stamp.sequence);
  at = put<6>(at, ticks(stamp.due));
  at = put<6>(at, ticks(stamp.sent));
  put<4>(at, crc_of(payload, covered));
}

ReadStamp read_stamp(mqtt::Bytes payload, std::uint32_t run, mqtt::TimePoint now, Covered covered) {
  const std::uint8_t* const at = payload.data();
  if (payload.size() < Stamp::size || at[0] != magic || take<3>(at + 1) != run)
    return {{}, StampFault::foreign};
  if (take<4>(at + crc_at) != crc_of(payload, covered)) return {{}, StampFault::corrupted};
  return {{.run = run,
           .stream = static_cast<std::uint32_t>(take<4>(at + 4)),
           .sequence = take<8>(at + 8),
           .due = whole_time(take<6>(at + 16), now),
           .sent = whole_time(take<6>(at + 22), now)},
          std::nullopt};
}

}  // namespace mq
