#pragma once
#include <string>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt {

/// A message that outlives the call it came in: topic and properties copied, the payload referenced
/// if it has an owner. An object that is filled again and again keeps its storage, if that is small.
class StoredMessage {
 public:
  void assign(const PublishView& message, const SharedBytes& payload);
  /// Lets the payload go, keeps a small storage.
  void clear();

  /// With packet_id, dup and payload at their defaults.
  [[nodiscard]] PublishView header() const;
  /// Lives as long as this object is not assigned or cleared.
  [[nodiscard]] SharedBytes payload() const;
  /// Of size(), what only this object keeps: without a payload that has another owner.
  [[nodiscard]] std::size_t own_size() const {
    return text_.size() + (owns_payload_ ? shared_.bytes.size() : 0);
  }
  /// Bytes of topic, properties and payload.
  [[nodiscard]] std::size_t size() const { return text_.size() + shared_.bytes.size(); }

 private:
  std::string text_;  // topic, properties, and a small payload without an owner
  std::uint32_t topic_size_ = 0;
  std::uint32_t properties_size_ = 0;
  SharedBytes shared_;
  QoS qos_ = QoS::at_most_once;
  bool retain_ = false;
  bool owns_payload_ = false;  // shared_ was made for it
};

}  // namespace mqtt
