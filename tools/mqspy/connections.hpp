#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "mqspy/content.hpp"
#include "mqspy/ip_fragments.hpp"
#include "mqspy/layers.hpp"
#include "mqspy/reassembly.hpp"
#include "mqspy/recorder.hpp"

namespace mq::spy {

struct ConnectionsLimits {
  /// TCP connections that are followed at once: one more ends the following of the oldest.
  std::size_t connections_max = 65'536;
  /// What may wait for missing segments, of all connections.
  std::size_t waiting_max_bytes = std::size_t{64} * 1024 * 1024;
};

/// What there was in a capture, and what of it could not be looked at.
struct CaptureAccount {
  std::uint64_t packets = 0;
  std::uint64_t fragments = 0;  ///< of IP packets, whose other parts are missing
  std::uint64_t damaged = 0;
  std::uint64_t unknown_link = 0;
  std::uint64_t connections = 0;
  std::uint64_t mqtt_connections = 0;
  std::uint64_t tls_connections = 0;
  std::uint64_t given_up = 0;  ///< connections, to keep the bound
};

/// Sorts captured packets into connections, and gives a Recorder those that speak MQTT.
class Connections final : public CaptureHandler {
 public:
  explicit Connections(Recorder& recorder, ConnectionsLimits limits = {});
  ~Connections() override;

  void on_captured(const CapturedPacket& packet) override;
  /// The capture ends here.
  void finish();

  [[nodiscard]] const CaptureAccount& account() const { return account_; }
  [[nodiscard]] mqtt::TimePoint last_time() const { return last_time_; }

 private:
  /// Two ends, the smaller one first.
  struct Key {
    NetEnd low;
    NetEnd high;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  class Connection;
  using Table = std::list<std::pair<Key, std::unique_ptr<Connection>>>;  // by age

  void look_at_dissected();
  void fragment(const IpFragment& fragment);
  void segment(const TcpSegment& segment);
  void pdu(const ExportedPdu& pdu);
  [[nodiscard]] Connection* find(const Key& key);
  Connection& add(const Key& key, const NetEnd& first, const NetEnd& second);
  void remove(const Key& key);
  [[nodiscard]] static Key key_of(const NetEnd& a, const NetEnd& b);

  Recorder& recorder_;
  ConnectionsLimits limits_;
  CaptureAccount account_;
  Dissected dissected_;
  IpFragments fragments_;
  Table table_;
  std::unordered_map<Key, Table::iterator, KeyHash> index_;
  const Key* last_key_ = nullptr;  // of last_, which most packets are of
  Connection* last_ = nullptr;
  std::size_t waiting_bytes_ = 0;
  mqtt::TimePoint last_time_{};
};

}  // namespace mq::spy
