#pragma once
#include <memory>
#include <string_view>

#include <mqtt/broker/access.hpp>

namespace mqtt::bridge {

/// Lets bridges in to their own broker, and keeps everybody else from their sessions. All others are
/// `others`' to decide about.
class BridgeUsers final : public broker::Authenticator {
 public:
  /// It outlives this.
  explicit BridgeUsers(broker::Authenticator& others) : others_{others} {}

  broker::AuthDecision authenticate(const ConnectView& connect, const broker::ConnectionInfo& info) override;
  std::unique_ptr<broker::AuthExchange> begin(std::string_view method, std::string_view client_id) override;

 private:
  broker::Authenticator& others_;
};

/// Whoever writes a bridge's rules has said with them what it may do.
class BridgeAccess final : public broker::AccessControl {
 public:
  /// `others` is asked anew each time: what it gives may change.
  explicit BridgeAccess(broker::AccessControl& others) : others_{others} {}

  std::optional<ReasonCode> find_publish_fault(const broker::Identity& client,
                                               std::string_view topic) override;
  std::optional<ReasonCode> find_subscribe_fault(const broker::Identity& client,
                                                 std::string_view filter) override;
  bool may_receive(const broker::Identity& client, std::string_view topic) override;

 private:
  broker::AccessControl& others_;
};

}  // namespace mqtt::bridge
