#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::broker {

/// What is known of the other end of a connection before MQTT is spoken.
struct ConnectionInfo {
  std::string address;                  ///< for logs: "127.0.0.1:50312"
  std::string listener;                 ///< which listener it came through
  std::string certificate_common_name;  ///< of a verified client certificate or PSK, or empty
};

/// Who a client is, for every later question about what it may do.
struct Identity {
  std::string client_id;
  Rare<std::string> user{};  ///< empty: anonymous
  std::string address;
};

/// An Authenticator's answer to CONNECT or AUTH.
struct AuthDecision {
  enum class Kind : std::uint8_t {
    allow,
    refuse,     ///< with `reason` and, for people, `text`
    challenge,  ///< AUTH 0x18 with `data`; only where the client named an Authentication Method
    later,      ///< what `work` will say; only where it named none
  };
  Kind kind = Kind::allow;
  ReasonCode reason = ReasonCode::not_authorized;
  std::string user{};  ///< with allow: who it is from now on
  std::string data{};  ///< Authentication Data, with challenge or allow
  std::string text{};
  std::optional<Duration> lasts{};  ///< with allow: the connection ends then, unless it authenticates again
  /// For what would hold the loop up. It runs once, in any thread, touches only what it owns, and allows or
  /// refuses.
  std::function<AuthDecision()> work{};

  [[nodiscard]] static AuthDecision allowed(std::string user) {
    return {.kind = Kind::allow, .user = std::move(user)};
  }
  [[nodiscard]] static AuthDecision refused(ReasonCode reason) {
    return {.kind = Kind::refuse, .reason = reason};
  }
  [[nodiscard]] static AuthDecision later(std::function<AuthDecision()> work) {
    return {.kind = Kind::later, .work = std::move(work)};
  }
};

/// What a login waits for: `work` may run in any thread; Broker::decide() wants its result.
struct AuthWork {
  std::uint64_t ticket = 0;
  std::function<AuthDecision()> work;
};

/// One exchange of enhanced authentication (4.12) under way. Made anew for a re-authentication.
class AuthExchange {
 public:
  virtual ~AuthExchange() = default;
  /// `data`: the Authentication Data of CONNECT or of the client's AUTH; empty if it had none.
  [[nodiscard]] virtual AuthDecision step(std::string_view data) = 0;
};

/// Says who may connect. Called inside the loop: it must not block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// A CONNECT without Authentication Method.
  [[nodiscard]] virtual AuthDecision authenticate(const ConnectView& connect, const ConnectionInfo& info) = 0;
  /// A CONNECT or re-authentication with `method`; null: not supported (0x8C).
  [[nodiscard]] virtual std::unique_ptr<AuthExchange> begin(std::string_view method,
                                                            std::string_view client_id) = 0;
};

/// Says what a client may do.
///
/// With several threads (ServerConfig::threads) an answer about a topic may be kept: who answers otherwise
/// than before calls Broker::end_routes().
class AccessControl {
 public:
  virtual ~AccessControl() = default;
  /// Nothing: it may. Else the reason code of PUBACK, PUBREC or, about a Will, CONNACK: one that all of them
  /// may have.
  [[nodiscard]] virtual std::optional<ReasonCode> find_publish_fault(const Identity& client,
                                                                     std::string_view topic) = 0;
  /// Nothing: it may. Else the reason code of SUBACK (0x80 before 5.0).
  [[nodiscard]] virtual std::optional<ReasonCode> find_subscribe_fault(const Identity& client,
                                                                       std::string_view filter) = 0;
  /// Whether `client` may be sent a message on `topic`.
  [[nodiscard]] virtual bool may_receive(const Identity& client, std::string_view topic) = 0;
};

/// Everybody may connect, with any user name or none.
class AllowAnyone final : public Authenticator {
 public:
  AuthDecision authenticate(const ConnectView& connect, const ConnectionInfo&) override {
    return AuthDecision::allowed(std::string{connect.user_name.value_or("")});
  }
  std::unique_ptr<AuthExchange> begin(std::string_view, std::string_view) override { return nullptr; }
};

/// Everybody may do everything.
class AllowEverything final : public AccessControl {
 public:
  std::optional<ReasonCode> find_publish_fault(const Identity&, std::string_view) override {
    return std::nullopt;
  }
  std::optional<ReasonCode> find_subscribe_fault(const Identity&, std::string_view) override {
    return std::nullopt;
  }
  bool may_receive(const Identity&, std::string_view) override { return true; }
};

}  // namespace mqtt::broker
