#include <mqtt/bridge/access.hpp>

#include <mqtt/bridge/local_session.hpp>

namespace mqtt::bridge {
namespace {

bool is_bridge(const broker::Identity& client) { return client.client_id.starts_with(local_id_prefix); }

}  // namespace

broker::AuthDecision BridgeUsers::authenticate(const ConnectView& connect,
                                               const broker::ConnectionInfo& info) {
  if (info.listener == inner_listener) return broker::AuthDecision::allowed({});
  if (connect.client_id.starts_with(local_id_prefix))
    return broker::AuthDecision::refused(ReasonCode::client_identifier_not_valid);
  return others_.authenticate(connect, info);
}

std::unique_ptr<broker::AuthExchange> BridgeUsers::begin(std::string_view method,
                                                         std::string_view client_id) {
  if (client_id.starts_with(local_id_prefix)) return nullptr;
  return others_.begin(method, client_id);
}

std::optional<ReasonCode> BridgeAccess::find_publish_fault(const broker::Identity& client,
                                                           std::string_view topic) {
  if (is_bridge(client)) return std::nullopt;
  return others_.find_publish_fault(client, topic);
}

std::optional<ReasonCode> BridgeAccess::find_subscribe_fault(const broker::Identity& client,
                                                             std::string_view filter) {
  if (is_bridge(client)) return std::nullopt;
  return others_.find_subscribe_fault(client, filter);
}

bool BridgeAccess::may_receive(const broker::Identity& client, std::string_view topic) {
  return is_bridge(client) || others_.may_receive(client, topic);
}

}  // namespace mqtt::bridge
