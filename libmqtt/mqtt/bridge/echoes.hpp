#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/siphash.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::bridge {

/// Knows again what a server sends back of our own messages: for servers before 5.0 that have no notion of a
/// bridge. Each message sent lets one that is the same pass for its echo, for `kept` at most. Should somebody
/// else publish the same meanwhile, one of the two is taken for the echo and the other one is not: their
/// number is right.
class Echoes {
 public:
  /// `key` keeps others from making messages that are taken for ours.
  explicit Echoes(SipKey key) : key_{key} {}

  static constexpr Duration kept = std::chrono::seconds{30};
  static constexpr std::size_t messages_max = 100'000;

  /// It was sent there, and is going to come back.
  void note(TimePoint now, std::string_view topic, Bytes payload);
  /// Whether it is one that was noted, which then has come back.
  [[nodiscard]] bool take(TimePoint now, std::string_view topic, Bytes payload);
  void clear();
  [[nodiscard]] std::size_t size() const { return sent_.size(); }

 private:
  struct Sent {
    TimePoint until;
    std::uint64_t hash;
  };
  [[nodiscard]] std::uint64_t hash_of(std::string_view topic, Bytes payload) const;
  void forget_old(TimePoint now);
  void forget_one(std::uint64_t hash);

  SipKey key_;
  std::deque<Sent> sent_;                                    // those that have come back, too
  std::unordered_map<std::uint64_t, std::size_t> returned_;  // of sent_, those that have come back
  std::unordered_map<std::uint64_t, std::size_t> expected_;  // of sent_, the others
};

}  // namespace mqtt::bridge
