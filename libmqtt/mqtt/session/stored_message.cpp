#include <mqtt/session/stored_message.hpp>

namespace mqtt {
namespace {

constexpr std::size_t kept_capacity = 256;

}  // namespace

void StoredMessage::assign(const PublishView& message, const SharedBytes& payload) {
  const Bytes properties = message.properties.encoded();
  text_.assign(message.topic);
  text_.append(as_text(properties));
  topic_size_ = static_cast<std::uint32_t>(message.topic.size());
  properties_size_ = static_cast<std::uint32_t>(properties.size());
  qos_ = message.qos;
  retain_ = message.retain;
  shared_ = {};
  owns_payload_ = !payload.owner;
  if (payload.owner)
    shared_ = payload;
  else if (payload.bytes.size() < OutBuffer::reference_from_bytes)
    text_.append(as_text(payload.bytes));
  else
    shared_ = SharedBytes::take(to_string(payload.bytes));
}

void StoredMessage::clear() {
  // There may be hundreds of these for each of thousands of clients.
  text_.clear();
  if (text_.capacity() > kept_capacity) text_.shrink_to_fit();
  topic_size_ = properties_size_ = 0;
  shared_ = {};
}

PublishView StoredMessage::header() const {
  PublishView header;
  header.qos = qos_;
  header.retain = retain_;
  header.topic = std::string_view{text_}.substr(0, topic_size_);
  header.properties = PropertiesView{as_bytes(text_).subspan(topic_size_, properties_size_)};
  return header;
}

SharedBytes StoredMessage::payload() const {
  if (shared_.owner) return shared_;
  return {as_bytes(text_).subspan(topic_size_ + properties_size_), nullptr};
}

}  // namespace mqtt
