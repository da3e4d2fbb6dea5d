#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/siphash.hpp>

namespace mqtt::broker {

class ConnectionOwner;

/// Whether what was found for a topic still holds. Any thread may look at it, and end it.
using RouteValidity = std::shared_ptr<std::atomic<bool>>;

/// A snapshot: to whom the QoS 0 messages of one client to one topic go, for as long as it is valid. Those
/// that are retained, or have properties or a Topic Alias, are not meant.
struct Route {
  /// One client that is to have them.
  struct Receiver {
    ConnectionOwner* owner;
    Version version;
  };
  RouteValidity valid;
  Version version;                ///< the publisher's
  std::uint32_t packet_size_max;  ///< what all of them take
  std::vector<Receiver> receivers;
};

/// QoS 0 messages that went by such routes. Bytes sent are counted as if all receivers got them at the
/// publisher's version; who has gone meanwhile counts, too.
struct RoutedCounts {
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t received_payload_bytes = 0;
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_payload_bytes = 0;
};

/// The topics that there are routes for.
class RouteTable {
 public:
  explicit RouteTable(SipKey key) : topics_{0, Hash{{key}}} {}

  [[nodiscard]] bool empty() const { return topics_.empty(); }
  [[nodiscard]] RouteValidity validity_of(std::string_view topic);
  /// Who is to have messages that match `filter` ("$share/NAME/" is allowed) has changed.
  void end_matching(std::string_view filter);
  void end_all();

 private:
  void end_of(std::string_view topic);
  void forget_unused();

  struct Hash : KeyedHash {
    using is_transparent = void;
  };
  struct SameText {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  std::unordered_map<std::string, RouteValidity, Hash, SameText> topics_;
  std::size_t tidy_at_ = 64;    // entries
  std::size_t comparable_ = 0;  // topics that may be compared with filters
};

}  // namespace mqtt::broker
