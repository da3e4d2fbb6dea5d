#include <mqtt/session/session_core.hpp>

#include <fmt/format.h>

#include <utility>

#include <mqtt/codec/encode.hpp>
#include <mqtt/session/property_check.hpp>

namespace mqtt {
namespace {

/// What is in a packet only to help a person: all that may be dropped when it does not fit.
bool is_diagnostic(PropertyId id) {
  return id == PropertyId::reason_string || id == PropertyId::user_property;
}

Properties without_diagnostics(PropertiesView properties) {
  Properties kept;
  for (const PropertyView& property : properties)
    if (!is_diagnostic(property.id)) kept.add(property);
  return kept;
}

/// Replaces the packet's properties, if it has any; `kept` owns the new ones.
void drop_diagnostics(PacketView& packet, Properties& kept) {
  std::visit(
      [&](auto& p) {
        if constexpr (requires { p.properties; }) {
          kept = without_diagnostics(p.properties);
          p.properties = kept.view();
        }
      },
      packet);
}

/// [MQTT-3.1.2-29]: with Request Problem Information 0 only these may explain themselves.
bool may_always_explain(PacketType type) {
  return type == PacketType::publish || type == PacketType::connack || type == PacketType::disconnect;
}

}  // namespace

void SessionCore::open(Version version, const OwnLimits& own) {
  version_ = version;
  established_ = false;
  close_info_.reset();
  aliases_.reset();
  peer_ = {};
  output_.clear();
  framer_.reset();
  set_own_limits(own);
}

void SessionCore::set_own_limits(const OwnLimits& own) {
  own_ = own;
  framer_.set_max_packet_size(own.maximum_packet_size);
}

void SessionCore::establish(const ServerLimits& peer) {
  peer_ = {peer, peer.maximum_qos, peer.retain_available};
  established_ = true;
}

void SessionCore::adopt(SessionState state) {
  flows_.reset();
  if (state.untouched()) return;
  Flows& flows = flows_.make();
  flows.state = std::move(state);
  flows.acks.begin_connection(flows.state.epoch);
}

void SessionCore::transport_closed() {
  leave_session();
  bytes_queued_ -= output_.size();
  output_.clear();
  framer_.reset();
}

void SessionCore::leave_session() {
  established_ = false;
  unanswered_ = 0;
  requests_.reset();
  if (!flows_) return;
  Flows& flows = this->flows();
  flows.acks.begin_connection(++flows.state.epoch);
  flows.state.incoming.begin_connection();
}

SessionState SessionCore::take_state() {
  if (!flows_) return {};
  return std::exchange(flows_.make().state, {});
}

Result<void> SessionCore::check_connected() const {
  if (connected()) return {};
  if (close_info_) return fail(SessionFault::not_connected, "the connection is closing");
  return fail(SessionFault::not_connected, "there is no connection");
}

Result<void> SessionCore::check_properties(PropertiesView properties, PropertyPlace place) const {
  return mqtt::check_properties(properties, place, settings_.role, version_);
}

Result<std::size_t> SessionCore::make_fit(PacketView& packet, Properties& kept) const {
  if (!diagnostics_allowed_ && !may_always_explain(type_of(packet))) drop_diagnostics(packet, kept);
  auto size = encoded_size(packet, version_);
  if (!size)
    return fail(SessionFault::field_too_long,
                fmt::format("{} has a field above 65,535 bytes, or is above 268,435,455 itself",
                            to_string(type_of(packet))));
  if (*size > peer_.maximum_packet_size) {
    drop_diagnostics(packet, kept);
    size = encoded_size(packet, version_);
  }
  if (*size > peer_.maximum_packet_size)
    return fail(SessionFault::packet_too_large,
                fmt::format("{} of {} bytes is larger than the {}'s Maximum Packet Size of {}",
                            to_string(type_of(packet)), with_commas(*size), peer_name(),
                            with_commas(peer_.maximum_packet_size)));
  return *size;
}

Result<void> SessionCore::check_size(PacketView packet) const {
  Properties kept;
  if (auto size = make_fit(packet, kept); !size) return std::unexpected{std::move(size.error())};
  return {};
}

Result<void> SessionCore::send(PacketView packet) {
  if (close_info_) return check_connected();
  Properties kept;
  auto size = make_fit(packet, kept);
  if (!size) return std::unexpected{std::move(size.error())};
  encode(output_, packet, version_);
  bytes_queued_ += *size;
  if (observer_) observer_->on_packet_sent(packet);
  return {};
}

void SessionCore::close(CloseInfo info) {
  if (!close_info_) close_info_ = std::make_unique<CloseInfo>(std::move(info));
}

void SessionCore::violation(const DecodeError& error) {
  // Before CONNACK a server has no DISCONNECT to send [MQTT-3.14.0-1]; before 5.0 nothing says why.
  const bool may_say_why = version_ == Version::v5 && (settings_.role == Sender::client || established_);
  const bool allowed = reason_allowed(error.reason, PacketType::disconnect, settings_.role);
  const ReasonCode code = allowed ? error.reason : ReasonCode::protocol_error;
  if (may_say_why) send(DisconnectView{code, {}});
  close({.reason = CloseReason::protocol_error, .code = code, .error = error});
}

void SessionCore::violation(ReasonCode reason, Clause clause, std::string_view what) {
  violation(DecodeError{reason, clause.id(version_), what, 0});
}

DecodeContext SessionCore::decode_context() const {
  return {version_, settings_.role == Sender::client ? Sender::server : Sender::client};
}

std::string_view SessionCore::peer_name() const {
  return settings_.role == Sender::client ? "server" : "client";
}

}  // namespace mqtt
