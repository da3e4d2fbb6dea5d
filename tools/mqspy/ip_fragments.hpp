#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "mqspy/layers.hpp"

namespace mq::spy {

struct IpFragmentsLimits {
  std::size_t packets_max = 1024;  ///< that lack something; one more is the end of the oldest
  std::size_t waiting_max_bytes = std::size_t{4} * 1024 * 1024;
  /// How long a packet's other fragments are waited for, by the capture's times (RFC 8200, 4.5).
  mqtt::Duration patience = std::chrono::seconds{60};
};

/// Puts fragments of IP packets together, without I/O. A packet whose fragments overlap is dropped, as
/// receivers do (RFC 5722); one that comes twice is not.
class IpFragments {
 public:
  explicit IpFragments(IpFragmentsLimits limits = {}) : limits_{limits} {}

  struct Whole {
    std::uint8_t next = 0;  ///< of the first fragment: what `bytes` begin with
    std::vector<std::uint8_t> bytes{};
  };
  /// The payload of the packet that this fragment completes.
  [[nodiscard]] std::optional<Whole> add(const IpFragment& fragment);

  /// Fragments that were not, or are not yet, put together.
  [[nodiscard]] std::uint64_t left() const { return given_up_ + waiting_; }
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Packet {
    IpFragment of{};  // the addresses and the id; no bytes
    mqtt::TimePoint began{};
    std::map<std::uint32_t, std::vector<std::uint8_t>> pieces{};  // by their place
    std::optional<std::uint32_t> size{};                          // once the last one is there
    std::uint8_t next = 0;
    std::size_t bytes = 0;
  };
  using Place = std::list<Packet>::iterator;  // by age

  [[nodiscard]] Place find(const IpFragment& fragment);
  void drop(Place place);
  void make_room(std::size_t bytes, mqtt::TimePoint now);
  [[nodiscard]] static bool fits(const Packet& packet, const IpFragment& fragment);

  IpFragmentsLimits limits_;
  std::list<Packet> packets_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t waiting_ = 0;
  std::uint64_t given_up_ = 0;
};

}  // namespace mq::spy
