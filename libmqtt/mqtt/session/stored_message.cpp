#include <mqtt/session/stored_message.hpp>

namespace mqtt {

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
  // What one long topic or property took is not kept for the short ones that follow.
  text_.clear();
  if (text_.capacity() > 2 * OutBuffer::reference_from_bytes) text_.shrink_to_fit();
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
