#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <mqtt/util/siphash.hpp>

namespace mq {

/// A value for each of the topics seen last, in bounded memory: at least `topics_max` of them are
/// remembered, at most twice as many. Topics are told apart by 64 keyed bits.
template <class Value>
class RecentTopics {
 public:
  RecentTopics(mqtt::SipKey key, std::size_t topics_max) : key_{key}, topics_max_{topics_max} {}

  /// Valid until the next put(); null if the topic is unknown or forgotten.
  [[nodiscard]] const Value* find(std::string_view topic) const {
    const std::uint64_t hash = mqtt::siphash(key_, topic);
    if (const auto at = young_.find(hash); at != young_.end()) return &at->second;
    const auto at = old_.find(hash);
    return at == old_.end() ? nullptr : &at->second;
  }

  /// Once the young ones are as many as may be, they become the old ones, and those are forgotten.
  void put(std::string_view topic, Value value) {
    if (young_.size() >= topics_max_) {
      old_ = std::exchange(young_, {});
    }
    young_[mqtt::siphash(key_, topic)] = value;
  }

 private:
  struct AsItIs {
    std::size_t operator()(std::uint64_t hash) const { return hash; }
  };
  using Map = std::unordered_map<std::uint64_t, Value, AsItIs>;

  mqtt::SipKey key_;
  std::size_t topics_max_;
  Map young_;
  Map old_;
};

}  // namespace mq
