#include <mqtt/broker/message.hpp>

#include <utility>

namespace mqtt::broker {
namespace {

/// Whether `properties` hold what belongs to one connection or one moment only.
bool travels(const PropertyView& property) {
  return property.id != PropertyId::topic_alias && property.id != PropertyId::message_expiry_interval;
}

}  // namespace

Properties travelling_properties(PropertiesView properties) {
  Properties kept;
  for (const PropertyView& property : properties)
    if (travels(property)) kept.add(property);
  return kept;
}

Message::Message(const PublishView& publish, Deadline expires, std::uint64_t publisher, std::uint64_t number,
                 std::shared_ptr<MessageAccount> account)
    : topic_size_{static_cast<std::uint32_t>(publish.topic.size())},
      expires_{expires},
      publisher_{publisher},
      number_{number},
      account_{std::move(account)},
      qos_{publish.qos},
      retain_{publish.retain} {
  const Properties kept = travelling_properties(publish.properties);
  const Bytes properties = kept.view().encoded();
  properties_size_ = static_cast<std::uint32_t>(properties.size());
  text_.reserve(publish.topic.size() + properties.size() + publish.payload.size());
  text_.append(publish.topic);
  text_.append(as_text(properties));
  text_.append(as_text(publish.payload));
  if (account_) account_->bytes += size_bytes();
}

Message::~Message() {
  if (account_) account_->bytes -= size_bytes();
}

PropertiesView Message::properties() const {
  return PropertiesView{as_bytes(text_).subspan(topic_size_, properties_size_)};
}

}  // namespace mqtt::broker
