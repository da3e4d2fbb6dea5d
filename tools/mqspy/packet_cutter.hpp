#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/util/bytes.hpp>

namespace mq::spy {

/// Cuts bytes into packets and loses none of them: what is broken, or was cut at the end, can be had back.
class PacketCutter {
 public:
  /// The largest packet that it holds. A larger one is given in pieces, as they come.
  static constexpr std::size_t packet_max_bytes = std::size_t{1024} * 1024;

  struct Cut {
    enum class Part : std::uint8_t { whole, first_piece, piece };
    mqtt::Bytes bytes;
    Part part = Part::whole;
    std::size_t packet_size = 0;
  };
  /// Takes bytes from the front of `input`: the next whole packet or the next piece of a large one, valid
  /// until the next call; nothing once `input` is used up, or when no packet can begin here.
  [[nodiscard]] std::optional<Cut> next(mqtt::Bytes& input);
  /// Pieces of a large packet are to come.
  [[nodiscard]] bool inside() const { return to_come_ > 0; }
  /// There are no packets here: held() and what is left of the input are the rest.
  [[nodiscard]] bool broken() const { return broken_; }
  /// Bytes of a packet that is not whole.
  [[nodiscard]] mqtt::Bytes held() const { return whole_ ? mqtt::Bytes{} : mqtt::as_bytes(held_); }

 private:
  /// Of the packet that they begin; 0: the header is not whole; nothing: it cannot be one.
  [[nodiscard]] static std::optional<std::size_t> packet_size(mqtt::Bytes bytes);
  void hold(mqtt::Bytes& input, std::size_t size);
  [[nodiscard]] std::optional<Cut> next_whole(mqtt::Bytes& input, std::size_t size);
  [[nodiscard]] Cut next_piece(mqtt::Bytes& input, Cut::Part part);

  std::string held_;
  std::size_t large_ = 0;    // size of the packet that is given in pieces
  std::size_t to_come_ = 0;  // of it
  bool whole_ = false;       // what is held has been handed out
  bool broken_ = false;
};

}  // namespace mq::spy
