#pragma once
#include <cstdint>
#include <string_view>

#include <mqtt/broker/message.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::broker {

/// Where what outlives the process goes. The broker tells of each change as it happens and calls commit()
/// once per turn, before any answer to it leaves. Views live for the call.
class Store {
 public:
  virtual ~Store() = default;

  /// Null: no longer retained.
  virtual void on_retained(std::string_view topic, const MessagePtr& message) = 0;
  virtual void on_session(std::string_view client_id, std::uint32_t expiry_interval) = 0;
  virtual void on_session_ended(std::string_view client_id) = 0;
  virtual void on_subscribed(std::string_view client_id, const SubscriptionView& subscription,
                             std::uint32_t identifier) = 0;
  virtual void on_unsubscribed(std::string_view client_id, std::string_view filter) = 0;

  /// All since the last call is durable. An error: nothing of it may be acknowledged.
  [[nodiscard]] virtual Result<void> commit() = 0;
};

/// Keeps nothing: memory only.
class NoStore final : public Store {
 public:
  void on_retained(std::string_view, const MessagePtr&) override {}
  void on_session(std::string_view, std::uint32_t) override {}
  void on_session_ended(std::string_view) override {}
  void on_subscribed(std::string_view, const SubscriptionView&, std::uint32_t) override {}
  void on_unsubscribed(std::string_view, std::string_view) override {}
  Result<void> commit() override { return {}; }
};

}  // namespace mqtt::broker
