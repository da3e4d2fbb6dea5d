#pragma once
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client.hpp"
#include "measure.hpp"
#include "packets.hpp"

namespace load {

/// A client that has introduced itself: CONNECT, SUBSCRIBE, PINGREQ and how the connection ended.
class Session : public Handler {
 public:
  Session(Loop& loop, ConnectOptions options) : client_{loop, *this}, options_{std::move(options)} {}

  /// Starts to connect and queues the CONNECT. `number` chooses the source address.
  void open(const Target& target, unsigned number);
  void close(Closing how = Closing::graceful) { client_.close(how); }
  /// DISCONNECT, then close.
  void leave();
  void set_client_id(std::string id) { options_.client_id = std::move(id); }

  /// Nothing more is to come of opening: connected, refused or closed.
  [[nodiscard]] bool settled() const { return connected_ || !client_.is_open(); }
  [[nodiscard]] bool connected() const { return connected_ && client_.is_open(); }
  /// The peer has closed.
  [[nodiscard]] bool lost() const { return lost_; }
  /// From a CONNACK that refuses, or a DISCONNECT.
  [[nodiscard]] std::optional<std::uint8_t> reason() const { return reason_; }

  void subscribe(std::span<const std::string> filters, mqtt::QoS qos);
  [[nodiscard]] bool subscribed() const { return subscribes_ == subacks_; }
  [[nodiscard]] std::uint64_t refused_filters() const { return refused_filters_; }

  void ping();
  [[nodiscard]] std::uint64_t pings() const { return pings_; }
  [[nodiscard]] std::uint64_t pongs() const { return pongs_; }
  [[nodiscard]] std::uint64_t ping_sent_ns() const { return ping_sent_ns_; }

  [[nodiscard]] Client& client() { return client_; }
  [[nodiscard]] const ConnectOptions& options() const { return options_; }

  void on_packet(const mqtt::Frame& frame) override;
  void on_closed() override { lost_ = true; }

 protected:
  /// PUBLISH and its acknowledgements.
  virtual void on_message(const mqtt::Frame&) {}
  /// What a publisher may have in flight.
  [[nodiscard]] std::uint32_t receive_maximum() const { return receive_maximum_; }

 private:
  void on_connack(const mqtt::Frame& frame);
  void on_suback(const mqtt::Frame& frame);

  Client client_;
  ConnectOptions options_;
  bool connected_ = false;
  bool lost_ = false;
  std::optional<std::uint8_t> reason_;
  std::uint32_t receive_maximum_ = mqtt::receive_maximum_default;
  std::uint64_t subscribes_ = 0, subacks_ = 0, refused_filters_ = 0;
  std::uint64_t pings_ = 0, pongs_ = 0, ping_sent_ns_ = 0;
};

/// Opens them all, a few at a time so that no listen queue overflows; returns how many are connected.
template <class S>
std::size_t open_all(Loop& loop, std::vector<std::unique_ptr<S>>& sessions, const Target& target) {
  constexpr std::size_t at_once = 64;
  std::size_t opened = 0, settled = 0;
  const auto all_settled = [&] {
    while (settled < opened && sessions[settled]->settled()) ++settled;
    for (; opened < sessions.size() && opened - settled < at_once; ++opened)
      sessions[opened]->open(target, static_cast<unsigned>(opened));
    return settled == sessions.size();
  };
  (void)loop.run_until(all_settled, std::chrono::minutes{2});
  std::size_t connected = 0;
  for (const auto& session : sessions) connected += session->connected() ? 1U : 0U;
  return connected;
}

/// {"0x8E": 3, "without": 1}: how the lost connections ended.
template <class S>
Json endings(const std::vector<std::unique_ptr<S>>& sessions) {
  Json counts = Json::object();
  for (const auto& session : sessions) {
    if (!session->lost()) continue;
    const std::string key = session->reason() ? fmt::format("0x{:02X}", *session->reason()) : "without";
    counts[key] = counts.value(key, 0) + 1;
  }
  return counts;
}

}  // namespace load
