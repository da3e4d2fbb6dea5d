#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/packet.hpp>

namespace mq {

/// What a server has retained, compared with a backup: topic by topic, by the payload's bytes.
class RetainedDiff {
 public:
  /// The backup's lines (JSON, as --retained-backup writes them). Only topics that `wanted` says are
  /// compared: the others were not asked for. A sentence's end if a line cannot be read.
  template <class Wanted>
  [[nodiscard]] static std::expected<RetainedDiff, std::string> read(std::string_view lines, Wanted wanted) {
    auto diff = read_all(lines);
    if (diff) std::erase_if(diff->topics_, [&](const auto& each) { return !wanted(each.first); });
    return diff;
  }

  void add(const mqtt::PublishView& message);

  /// Appends "+ topic" for what only the server has, "- topic" for what only the backup has, and "~ topic"
  /// for another payload, in the order of the topics.
  void append(std::string& out) const;
  [[nodiscard]] bool differs() const;

 private:
  enum class State : std::uint8_t { missing, same, other, added };
  struct Entry {
    std::string payload{};
    State state = State::missing;
  };

  [[nodiscard]] static std::expected<RetainedDiff, std::string> read_all(std::string_view lines);

  std::map<std::string, Entry, std::less<>> topics_;
};

}  // namespace mq
