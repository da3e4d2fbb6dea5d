#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mq::bench {

/// What shards say to each other: one line of text, so that who watches can read it:
///
///     mqbench1 KIND SENDER NONCE NUMBER...
///
/// SENDER is the shard's index from 0, NONCE 16 hexadecimal digits that only this process has.
struct RendezvousMessage {
  enum class Kind : std::uint8_t {
    hello,    ///< I am here: count of shards, hash of the scenario
    roll,     ///< leader: count of those who are missing, and the first of them
    refused,  ///< leader: the nonce that is not taken, why (Refusal)
    begin,    ///< leader: all are here; run id
    ready,    ///< my clients are connected and subscribed
    sync,     ///< leader: all are ready; ask for my clock
    ping,     ///< number of the question, its time
    pong,     ///< those two, then when it was heard and answered
    synced,   ///< I know the leader's clock: offset, error
    start,    ///< leader: the common start by my clock, and by the time of day (ns since 1970)
    report,   ///< sent, expected, delivered, whether all is sent
    stop,     ///< publish no more
    finish,   ///< leader: all has come, or nothing comes any more
    counts,   ///< a stream, then what it and those after it of the same shard have sent; the leader passes
              ///< them on
    done,     ///< I have all counts; how wrong my clock's offset may have been
    over,     ///< leader: all are done; the largest of those errors
    lost,     ///< leader: the index of one who has gone before the end
    gone,     ///< I leave before the end: the connection's Will
    ended,    ///< leader: nobody is awaited any longer; count of those who are missing, and the first of them
  };

  static constexpr std::size_t numbers_max = 1024;
  static constexpr std::size_t bytes_max = 32 * 1024;

  Kind kind = Kind::hello;
  std::uint32_t sender = 0;
  std::uint64_t nonce = 0;
  std::vector<std::int64_t> numbers{};

  bool operator==(const RendezvousMessage&) const = default;
};

/// Why the leader does not take a shard.
enum class Refusal : std::uint8_t { taken, other_count, other_scenario };

/// `message` has the numbers that its kind asks for.
[[nodiscard]] std::string to_text(const RendezvousMessage& message);
/// Nothing if it is none, or has not the numbers of its kind.
[[nodiscard]] std::optional<RendezvousMessage> parse_rendezvous_message(std::string_view text);

}  // namespace mq::bench
