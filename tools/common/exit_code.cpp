#include "common/exit_code.hpp"

namespace mq {

std::string_view to_string(ExitCode code) {
  switch (code) {
    case ExitCode::ok: return "ok";
    case ExitCode::internal: return "internal-error";
    case ExitCode::usage: return "usage";
    case ExitCode::resolve: return "resolve-failed";
    case ExitCode::connect: return "connect-failed";
    case ExitCode::tls: return "tls-failed";
    case ExitCode::not_authorized: return "not-authorized";
    case ExitCode::refused: return "refused";
    case ExitCode::connection_lost: return "connection-lost";
    case ExitCode::deadline: return "deadline";
    case ExitCode::publish_rejected: return "publish-rejected";
    case ExitCode::subscribe_refused: return "subscribe-refused";
    case ExitCode::protocol_error: return "protocol-error";
    case ExitCode::expectation: return "expectation-failed";
    case ExitCode::local_io: return "local-io";
    case ExitCode::interrupted: return "interrupted";
    case ExitCode::terminated: return "terminated";
  }
  return "internal-error";
}

namespace {

ExitCode exit_code_for_system(Stage stage) {
  switch (stage) {
    case Stage::connecting: return ExitCode::connect;
    case Stage::local_io: return ExitCode::local_io;
    case Stage::running:
    case Stage::publishing:
    case Stage::subscribing: break;
  }
  return ExitCode::connection_lost;
}

/// The session refused to do it, for a limit of the server or a mistake of the caller.
ExitCode exit_code_for_session(Stage stage) {
  switch (stage) {
    case Stage::publishing: return ExitCode::publish_rejected;
    case Stage::subscribing: return ExitCode::subscribe_refused;
    case Stage::connecting: return ExitCode::usage;
    case Stage::running:
    case Stage::local_io: break;
  }
  return ExitCode::internal;
}

}  // namespace

ExitCode exit_code_for(const mqtt::Error& error, Stage stage) {
  switch (error.domain) {
    case mqtt::ErrorDomain::system: return exit_code_for_system(stage);
    case mqtt::ErrorDomain::resolve:
    case mqtt::ErrorDomain::proxy: return ExitCode::resolve;
    case mqtt::ErrorDomain::tls:
      return stage == Stage::connecting ? ExitCode::tls : ExitCode::connection_lost;
    case mqtt::ErrorDomain::websocket:
      return stage == Stage::connecting ? ExitCode::connect : ExitCode::connection_lost;
    case mqtt::ErrorDomain::url: return ExitCode::usage;
    case mqtt::ErrorDomain::session: return exit_code_for_session(stage);
    case mqtt::ErrorDomain::authentication: return ExitCode::protocol_error;
    case mqtt::ErrorDomain::timeout:
      return stage == Stage::connecting ? ExitCode::refused : ExitCode::connection_lost;
  }
  return ExitCode::internal;
}

ExitCode exit_code_for_refusal(mqtt::ReasonCode code) {
  using enum mqtt::ReasonCode;
  const bool credentials =
      code == bad_user_name_or_password || code == not_authorized || code == bad_authentication_method;
  return credentials ? ExitCode::not_authorized : ExitCode::refused;
}

ExitCode exit_code_for(const mqtt::Ending& ending) {
  using enum mqtt::Ending::Kind;
  switch (ending.kind) {
    case finished: return ExitCode::ok;
    case bad_options: return ExitCode::usage;
    case open_failed:
      if (ending.had_connected) break;  // lost, and not found again
      return exit_code_for(ending.error, Stage::connecting);
    case refused: return exit_code_for_refusal(ending.close.code);
    case connack_timeout:
      if (ending.had_connected) break;
      return ExitCode::refused;
    case protocol_error:
    case authentication_failed: return ExitCode::protocol_error;
    case auth_timeout:
    case peer_disconnect:
    case ping_timeout:
    case connection_lost: break;
  }
  // With TLS 1.3 a server refuses a client's certificate after the handshake, as the client sees it.
  const bool tls_refusal = !ending.was_connected && ending.error.domain == mqtt::ErrorDomain::tls;
  return tls_refusal ? ExitCode::tls : ExitCode::connection_lost;
}

}  // namespace mq
