#include "common/hints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <mqtt/session/scram.hpp>

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::ErrorDomain;
using mqtt::ReasonCode;
using mqtt::Transport;

/// Where brokers and web servers are used to speak TLS.
bool is_tls_port(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 5> ports{443, 8443, 8883, 8884, 8084};
  return std::ranges::find(ports, port) != ports.end();
}

/// What the option is called by which this connection is set: `usual`, or as in "--bridge-cafile".
std::string option(const Where& where, std::string_view usual, std::string_view word) {
  return where.option_stem.empty() ? std::string{usual} : fmt::format("{}{}", where.option_stem, word);
}

std::string option(const Where& where, std::string_view word) {
  return option(where, fmt::format("--{}", word), word);
}

std::string use_tls(const Where& where) {
  const std::string_view scheme = where.transport == Transport::ws ? "wss" : "mqtts";
  return fmt::format("use a {}:// URL{}", scheme,
                     where.option_stem.empty() ? " or a TLS option such as --tls-use-os-certs" : "");
}

/// The peer is not an MQTT server, or not one without TLS: seen by what it sent.
std::string hint_for_peer(const Ending& ending, const Where& where) {
  switch (guess_peer(ending.first_bytes)) {
    case PeerKind::http:
      return "this is a web server: try ws:// if it has MQTT over WebSocket, or another port";
    case PeerKind::tls: return fmt::format("this port speaks TLS: {}", use_tls(where));
    case PeerKind::unknown: break;
  }
  return {};
}

/// The server hung up, or said nothing, before CONNACK.
std::string hint_for_silence(const Where& where) {
  const bool plain = where.transport == Transport::tcp || where.transport == Transport::ws;
  if (plain && is_tls_port(where.port))
    return fmt::format("port {} usually speaks TLS: {}", where.port, use_tls(where));
  const bool plain_tcp = where.transport == Transport::tcp;
  if (where.version != mqtt::Version::v5)
    return plain_tcp ? "the server may want TLS (mqtts://) or WebSocket (ws://)" : "";
  const std::string old = option(where, "-V", "protocol-version") + " 311";
  return fmt::format("the server may {}speak only MQTT 3.1.1 ({})",
                     plain_tcp ? "want TLS (mqtts://) or WebSocket (ws://), or " : "", old);
}

std::string hint_for_tls(const mqtt::Error& error, const Where& where) {
  const std::string_view text = error.context;
  const auto says = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
  // OpenSSL's words for bytes that are not a TLS record.
  if (says("wrong version number") || says("packet length too long") || says("http request"))
    return "the server does not seem to speak TLS on this port";
  if (says("reset by") || says("closed")) return "the server may not speak TLS on this port";
  if (says("self-signed") || says("unknown CA)"))
    return "name the CA that signed it with " + option(where, "cafile");
  if (says("certificate required") || says("handshake failure"))
    return fmt::format("the server may want a client certificate: {} and {}", option(where, "cert"),
                       option(where, "key"));
  if (says("not for"))
    return where.option_stem.empty() ? "connect by a name in the certificate, or give that name with --sni"
                                     : "connect by a name in the certificate";
  return {};
}

std::string hint_for_websocket(const mqtt::Error& error) {
  constexpr int not_found = 404, unauthorized = 401, forbidden = 403;
  if (error.code == not_found) return "the path may be another one: --ws-path, or the path of the URL";
  if (error.code == unauthorized || error.code == forbidden)
    return "the server may want credentials in a header: --ws-header";
  if (error.code == 0) return "the server may not speak WebSocket on this port";
  return {};
}

std::string hint_for_proxy(const mqtt::Error& error) {
  const std::string_view text = error.context;
  const auto says = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
  if (says("wants credentials") || says("HTTP 407") || says("user name and password"))
    return "the proxy's user name and password stand in its URL: --proxy socks5h://user:password@host";
  if (says("does not speak")) return "it may be another kind of proxy: socks5h:// or http://";
  return {};
}

std::string hint_for_open(const mqtt::Error& error, const Where& where) {
  if (error.domain == ErrorDomain::proxy) return hint_for_proxy(error);
  if (error.domain == ErrorDomain::tls) return hint_for_tls(error, where);
  if (error.domain == ErrorDomain::websocket) return hint_for_websocket(error);
  if (error.domain == ErrorDomain::timeout) return hint_for_silence(where);
  return {};
}

constexpr std::string_view hint_for_elsewhere =
    "connect to the server it names, or follow it with --reconnect";

std::string hint_for_method(const Where& where) {
  if (where.auth_method.empty())
    return "the server wants an authentication method: --scram-user or --auth-method";
  return fmt::format(
      "the server does not know the authentication method '{}', or not for this client: try another "
      "--auth-method, or a user name and a password alone",
      where.auth_method);
}

std::string hint_for_credentials(const Where& where) {
  if (where.auth_method.empty())
    return fmt::format("check the user name ({}) and the password ({})",
                       where.option_stem.empty() ? "-u" : "in the URL", option(where, "password-file"));
  if (mqtt::find_scram_hash(where.auth_method))
    return "check the user name (--scram-user) and the password (--password-file)";
  return fmt::format("check the token or the data of '{}': it may have ended", where.auth_method);
}

std::string hint_for_refusal(ReasonCode code, const Where& where) {
  switch (code) {
    case ReasonCode::bad_user_name_or_password:
    case ReasonCode::not_authorized: return hint_for_credentials(where);
    case ReasonCode::client_identifier_not_valid:
      return fmt::format("the server does not accept the client id '{}': choose another with {}",
                         where.client_id, option(where, "-i", "id"));
    case ReasonCode::unsupported_protocol_version:
      if (where.auth_method.empty())
        return fmt::format("leave {} out to let the server choose", option(where, "-V", "protocol-version"));
      return fmt::format("the authentication method '{}' needs MQTT 5", where.auth_method);
    case ReasonCode::banned: return "only the server's operator can lift that";
    case ReasonCode::quota_exceeded: return "the server allows this client no more connections or sessions";
    case ReasonCode::qos_not_supported: return "the Will's QoS may be too high: --will-qos";
    case ReasonCode::retain_not_supported: return "the Will may not be retained: leave --will-retain out";
    case ReasonCode::use_another_server:
    case ReasonCode::server_moved: return std::string{hint_for_elsewhere};
    case ReasonCode::bad_authentication_method: return hint_for_method(where);
    case ReasonCode::packet_too_large: return "the Will, the client id or the properties may be too long";
    default: return {};
  }
}

std::string hint_for_disconnect(ReasonCode code, const Where& where) {
  switch (code) {
    case ReasonCode::session_taken_over:
      return fmt::format("another client connected with the same client id '{}': each needs its own ({})",
                         where.client_id, option(where, "-i", "id"));
    case ReasonCode::packet_too_large: return "a message was larger than the server accepts";
    case ReasonCode::receive_maximum_exceeded: return "allow fewer messages in flight with -M";
    case ReasonCode::not_authorized:
      return where.auth_method.empty() ? "" : "the token, or what this client may do, may have ended";
    case ReasonCode::keep_alive_timeout:
      return "the server heard nothing for too long: the network is slow, or this host was asleep";
    case ReasonCode::qos_not_supported: return "lower the QoS with -q";
    case ReasonCode::retain_not_supported: return "leave -r out";
    case ReasonCode::message_rate_too_high:
    case ReasonCode::quota_exceeded: return "the server allows this client no more, or not so fast";
    case ReasonCode::topic_filter_invalid:
    case ReasonCode::shared_subscriptions_not_supported:
    case ReasonCode::subscription_identifiers_not_supported:
    case ReasonCode::wildcard_subscriptions_not_supported: return hint_for_subscription(code);
    case ReasonCode::use_another_server:
    case ReasonCode::server_moved: return std::string{hint_for_elsewhere};
    default: return {};
  }
}

}  // namespace

std::string hint_for(const Ending& ending, const Where& where) {
  using enum Ending::Kind;
  switch (ending.kind) {
    case open_failed: return hint_for_open(ending.error, where);
    case refused: return hint_for_refusal(ending.close.code, where);
    case connack_timeout: return hint_for_silence(where);
    case peer_disconnect: return hint_for_disconnect(ending.close.code, where);
    case protocol_error: return hint_for_peer(ending, where);
    case connection_lost:
      if (ending.was_connected) return {};
      return ending.error.domain == ErrorDomain::tls ? hint_for_tls(ending.error, where)
                                                     : hint_for_silence(where);
    case authentication_failed:
      if (!mqtt::find_scram_hash(where.auth_method))
        return "of the methods with several steps only SCRAM is known";
      return "it may not be the server that you mean, or not speak SCRAM as RFC 5802 wants it";
    case auth_timeout:
    case ping_timeout: return "the server or the network between has fallen silent";
    case finished:
    case bad_options: break;
  }
  return {};
}

std::string hint_for_publish(ReasonCode code) {
  switch (code) {
    case ReasonCode::not_authorized: return "the server's access rules do not let this user publish there";
    case ReasonCode::payload_format_invalid:
      return "the payload is not the UTF-8 that its properties promise";
    case ReasonCode::topic_name_invalid: return "the server does not accept this topic, by rules of its own";
    case ReasonCode::quota_exceeded: return "the server allows this client no more, or not so fast";
    case ReasonCode::packet_too_large: return "the message is larger than the server accepts";
    default: return {};
  }
}

std::string hint_for_subscription(ReasonCode code) {
  switch (code) {
    case ReasonCode::not_authorized: return "the server's access rules do not let this user read there";
    case ReasonCode::unspecified_error:
      return "before MQTT 5 servers give no reason: access rules are the usual one";
    case ReasonCode::topic_filter_invalid:
      return "the server does not accept this filter, by rules of its own";
    case ReasonCode::shared_subscriptions_not_supported: return "subscribe without $share/GROUP/";
    case ReasonCode::subscription_identifiers_not_supported: return "subscribe without an identifier";
    case ReasonCode::wildcard_subscriptions_not_supported:
      return "subscribe to whole topics, without + and #";
    case ReasonCode::quota_exceeded: return "the server allows this client no more subscriptions";
    default: return {};
  }
}

}  // namespace mq
