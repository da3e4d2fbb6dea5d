#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "messages/recent_topics.hpp"
#include "messages/sampler.hpp"

namespace mq {

/// Which of the received messages are shown.
struct SelectionConfig {
  std::vector<std::string> filter_out;          ///< -T
  bool skip_retained = false;                   ///< -R
  bool fresh = false;                           ///< --fresh
  bool retained_only = false;                   ///< --retained-only
  bool snapshot = false;                        ///< --retained
  bool skip_empty = false;                      ///< with --remove-retained: our own removals come back so
  std::optional<double> probability;            ///< --sample, --random-filter
  bool changes = false;                         ///< --changes
  std::optional<mqtt::Duration> at_most_every;  ///< --every
};

enum class Verdict : std::uint8_t {
  show,
  skip,          ///< not wanted: acknowledged all the same
  filtered_out,  ///< skip, and not even to be touched otherwise (-T)
  end,           ///< --retained-only: the first live message is its end
};

/// Judges message by message. What throttles (--changes, --every) remembers a bounded number of topics:
/// of one that it has forgotten a message too many is shown, never one too few.
class Selection {
 public:
  /// `config` must outlive it. `seed` is for what is drawn at random.
  Selection(const SelectionConfig& config, std::uint64_t seed);

  [[nodiscard]] Verdict judge(const mqtt::PublishView& message, mqtt::Version version, mqtt::TimePoint now);

  /// Topics that --changes and --every remember at least.
  static constexpr std::size_t topics_max = 65'536;

 private:
  [[nodiscard]] bool filtered_out(std::string_view topic) const;
  [[nodiscard]] bool unwanted(const mqtt::PublishView& message, mqtt::Version version) const;
  [[nodiscard]] bool is_change(const mqtt::PublishView& message);
  [[nodiscard]] bool is_due(std::string_view topic, mqtt::TimePoint now);

  const SelectionConfig& config_;
  mqtt::SipKey key_;
  Sampler sampler_;
  RecentTopics<std::uint64_t> payloads_;
  RecentTopics<mqtt::TimePoint> shown_at_;
};

}  // namespace mq
