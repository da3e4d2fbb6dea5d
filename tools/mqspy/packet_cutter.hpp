#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/util/bytes.hpp>

namespace mq::spy {

/// Cuts octets into packets and loses none of them: what is broken, or was cut at the end, can be had back.
class PacketCutter {
 public:
  /// Takes octets from the front of `input`: the next whole packet, valid until the next call; nothing once
  /// `input` is used up, or when no packet can begin here.
  [[nodiscard]] std::optional<mqtt::Bytes> next(mqtt::Bytes& input);
  /// There are no packets here: held() and what is left of the input are the rest.
  [[nodiscard]] bool broken() const { return broken_; }
  /// Octets of a packet that is not whole.
  [[nodiscard]] mqtt::Bytes held() const { return whole_ ? mqtt::Bytes{} : mqtt::as_bytes(held_); }

 private:
  /// Of the packet that they begin; 0: the header is not whole; nothing: it cannot be one.
  [[nodiscard]] static std::optional<std::size_t> packet_size(mqtt::Bytes octets);
  void hold(mqtt::Bytes& input, std::size_t size);

  std::string held_;
  bool whole_ = false;  // what is held has been handed out
  bool broken_ = false;
};

}  // namespace mq::spy
