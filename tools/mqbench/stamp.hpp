#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/time.hpp>

namespace mq {

/// What goes at the head of each payload: whose message it is, and when it was due and sent, by the monotonic
/// clock of the machine that sent it. Highest bytes first:
///
///     0 magic   1 run id (3)   4 stream (4)   8 sequence (8)   16 due (6)   22 sent (6)   28 CRC-32 (4)
///
/// The times are nanoseconds modulo 2^48, which is 78 hours: Stamp has them whole again.
struct Stamp {
  static constexpr std::size_t size = 32;
  static constexpr std::uint32_t run_max = 0xFF'FFFF;

  std::uint32_t run = 0;  ///< at most run_max
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0;  ///< in its stream, from 0
  mqtt::TimePoint due{};
  mqtt::TimePoint sent{};

  bool operator==(const Stamp&) const = default;
};

/// Of what the CRC is.
enum class Covered : std::uint8_t {
  stamp,
  payload,  ///< what comes behind the stamp, too: for who cannot know that otherwise
};

/// `payload` has Stamp::size bytes at least; what is behind them is there already.
void write_stamp(const Stamp& stamp, mqtt::MutableBytes payload, Covered covered = Covered::stamp);

enum class StampFault : std::uint8_t {
  foreign,    ///< of another run, or no stamp at all
  corrupted,  ///< of this run, but damaged
};

struct ReadStamp {
  Stamp stamp;
  std::optional<StampFault> fault;
};

/// The times are those within 39 hours of `now`.
[[nodiscard]] ReadStamp read_stamp(mqtt::Bytes payload, std::uint32_t run, mqtt::TimePoint now,
                                   Covered covered = Covered::stamp);

}  // namespace mq
