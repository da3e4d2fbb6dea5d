#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mqtt/broker/connection.hpp>
#include <mqtt/session/session_handler.hpp>

#include "common/diag.hpp"

namespace mq {

/// What --trace is about. Each word is a client id and a topic filter, whichever it fits.
class TraceSubjects {
 public:
  explicit TraceSubjects(std::vector<std::string> words) : words_{std::move(words)} {}

  [[nodiscard]] bool empty() const { return words_.empty(); }
  [[nodiscard]] bool has_client(std::string_view client_id) const;
  [[nodiscard]] bool has_topic(std::string_view topic) const;
  /// Whether a subscription to `filter` could bring a topic of them.
  [[nodiscard]] bool touches(std::string_view filter) const;

 private:
  std::vector<std::string> words_;
};

/// Which packets of one connection the subjects are about: all of a client that is one of them; of others,
/// the messages with such topics, their acknowledgements, and requests for such subscriptions with their
/// answers.
class TraceFilter {
 public:
  enum class Way : std::uint8_t { to_client, from_client };

  explicit TraceFilter(const TraceSubjects& subjects) : subjects_{subjects} {}

  /// To be asked for each packet of the connection, in order.
  [[nodiscard]] bool wants(Way way, const mqtt::PacketView& packet);
  /// Of the PUBLISH that wants() was asked for last: its topic, if that was left to an alias.
  [[nodiscard]] std::string_view aliased_topic() const { return aliased_topic_; }

 private:
  using Ids = std::set<mqtt::PacketId>;

  [[nodiscard]] bool wants_packet(Way way, const mqtt::PacketView& packet);
  [[nodiscard]] bool wants_publish(Way way, const mqtt::PublishView& publish);
  [[nodiscard]] bool wants_ack(Ids& messages, const mqtt::PacketView& packet);
  [[nodiscard]] bool wants_answer(mqtt::PacketId id);
  void note_client(const mqtt::PacketView& packet);

  const TraceSubjects& subjects_;
  bool all_ = false;  // the client is a subject
  Ids messages_[2];   // that were shown and are not acknowledged, by the way of their PUBLISH
  Ids requests_;
  std::unordered_map<std::uint16_t, std::string> aliases_[2];
  std::string_view aliased_topic_;
};

/// Shows packets of one connection as lines, in mqspy's words: all of them at -d, those that are traced else.
class PacketTrace final : public mqtt::PacketObserver {
 public:
  /// All outlive it.
  PacketTrace(Diag& diag, const TraceSubjects& subjects, const mqtt::broker::Connection& connection)
      : diag_{diag}, connection_{connection}, filter_{subjects} {}

 private:
  using Way = TraceFilter::Way;

  void on_packet_sent(const mqtt::PacketView& packet) override;
  void on_packet_received(const mqtt::PacketView& packet) override;
  void write(Way way, const mqtt::PacketView& packet);

  Diag& diag_;
  const mqtt::broker::Connection& connection_;
  TraceFilter filter_;
  mqtt::Version version_ = mqtt::Version::v5;
  std::string client_id_;
};

}  // namespace mq
