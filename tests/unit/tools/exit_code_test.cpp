#include "common/exit_code.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <utility>

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::Error;
using mqtt::ErrorDomain;

TEST(ExitCode, NumbersAreTheContract) {
  EXPECT_EQ(to_int(ExitCode::ok), 0);
  EXPECT_EQ(to_int(ExitCode::internal), 1);
  EXPECT_EQ(to_int(ExitCode::usage), 2);
  EXPECT_EQ(to_int(ExitCode::resolve), 3);
  EXPECT_EQ(to_int(ExitCode::connect), 4);
  EXPECT_EQ(to_int(ExitCode::tls), 5);
  EXPECT_EQ(to_int(ExitCode::not_authorized), 6);
  EXPECT_EQ(to_int(ExitCode::refused), 7);
  EXPECT_EQ(to_int(ExitCode::connection_lost), 8);
  EXPECT_EQ(to_int(ExitCode::deadline), 9);
  EXPECT_EQ(to_int(ExitCode::publish_rejected), 10);
  EXPECT_EQ(to_int(ExitCode::subscribe_refused), 11);
  EXPECT_EQ(to_int(ExitCode::protocol_error), 12);
  EXPECT_EQ(to_int(ExitCode::expectation), 13);
  EXPECT_EQ(to_int(ExitCode::local_io), 14);
  EXPECT_EQ(to_int(ExitCode::interrupted), 130);
  EXPECT_EQ(to_int(ExitCode::terminated), 143);
}

TEST(ExitCode, NamesDiffer) {
  std::set<std::string_view> names;
  for (int code = 0; code <= 14; ++code) names.insert(to_string(static_cast<ExitCode>(code)));
  EXPECT_EQ(names.size(), 15u);
}

TEST(ExitCode, OfAnErrorDependsOnDomainAndStage) {
  const auto code = [](ErrorDomain domain, Stage stage) {
    return exit_code_for(Error{domain, 1, {}}, stage);
  };
  EXPECT_EQ(code(ErrorDomain::resolve, Stage::connecting), ExitCode::resolve);
  EXPECT_EQ(code(ErrorDomain::system, Stage::connecting), ExitCode::connect);
  EXPECT_EQ(code(ErrorDomain::system, Stage::running), ExitCode::connection_lost);
  EXPECT_EQ(code(ErrorDomain::system, Stage::local_io), ExitCode::local_io);
  EXPECT_EQ(code(ErrorDomain::websocket, Stage::connecting), ExitCode::connect);
  EXPECT_EQ(code(ErrorDomain::websocket, Stage::running), ExitCode::connection_lost);
  EXPECT_EQ(code(ErrorDomain::tls, Stage::connecting), ExitCode::tls);
  EXPECT_EQ(code(ErrorDomain::tls, Stage::running), ExitCode::connection_lost);
  EXPECT_EQ(code(ErrorDomain::timeout, Stage::connecting), ExitCode::refused);
  EXPECT_EQ(code(ErrorDomain::timeout, Stage::running), ExitCode::connection_lost);
  EXPECT_EQ(code(ErrorDomain::url, Stage::connecting), ExitCode::usage);
  EXPECT_EQ(code(ErrorDomain::session, Stage::publishing), ExitCode::publish_rejected);
  EXPECT_EQ(code(ErrorDomain::session, Stage::subscribing), ExitCode::subscribe_refused);
  EXPECT_EQ(code(ErrorDomain::session, Stage::connecting), ExitCode::usage);
}

TEST(ExitCode, OfARefusalTellsCredentialsFromTheRest) {
  using enum mqtt::ReasonCode;
  EXPECT_EQ(exit_code_for_refusal(bad_user_name_or_password), ExitCode::not_authorized);
  EXPECT_EQ(exit_code_for_refusal(not_authorized), ExitCode::not_authorized);
  EXPECT_EQ(exit_code_for_refusal(bad_authentication_method), ExitCode::not_authorized);
  EXPECT_EQ(exit_code_for_refusal(banned), ExitCode::refused);
  EXPECT_EQ(exit_code_for_refusal(server_unavailable), ExitCode::refused);
}

TEST(ExitCode, OfAnEnding) {
  const auto code = [](Ending ending) { return exit_code_for(ending); };
  using Kind = Ending::Kind;
  EXPECT_EQ(code({.kind = Kind::finished}), ExitCode::ok);
  EXPECT_EQ(code({.kind = Kind::bad_options}), ExitCode::usage);
  EXPECT_EQ(code({.kind = Kind::open_failed, .error = {ErrorDomain::tls, 10, "x"}}), ExitCode::tls);
  EXPECT_EQ(code({.kind = Kind::refused, .close = {.code = mqtt::ReasonCode::not_authorized}}),
            ExitCode::not_authorized);
  EXPECT_EQ(code({.kind = Kind::connack_timeout}), ExitCode::refused);
  EXPECT_EQ(code({.kind = Kind::protocol_error}), ExitCode::protocol_error);
  EXPECT_EQ(code({.kind = Kind::peer_disconnect, .was_connected = true}), ExitCode::connection_lost);
  EXPECT_EQ(code({.kind = Kind::ping_timeout, .was_connected = true}), ExitCode::connection_lost);
  EXPECT_EQ(code({.kind = Kind::connection_lost, .was_connected = true}), ExitCode::connection_lost);
  EXPECT_EQ(code({.kind = Kind::auth_timeout, .was_connected = true}), ExitCode::connection_lost);
  EXPECT_EQ(code({.kind = Kind::authentication_failed}), ExitCode::protocol_error);
}

TEST(ExitCode, OfAConnectionThatWasLostAndNotFoundAgainIsConnectionLost) {
  using Kind = Ending::Kind;
  const auto not_again = [](Kind kind, Error error) {
    return exit_code_for(Ending{.kind = kind, .error = std::move(error), .had_connected = true});
  };
  EXPECT_EQ(not_again(Kind::open_failed, {ErrorDomain::system, ECONNREFUSED, "x"}),
            ExitCode::connection_lost);
  EXPECT_EQ(not_again(Kind::open_failed, {ErrorDomain::resolve, 1, "x"}), ExitCode::connection_lost);
  EXPECT_EQ(not_again(Kind::connack_timeout, {}), ExitCode::connection_lost);
  // What the server answers when it is asked again is worth more than that the connection was lost.
  EXPECT_EQ(
      exit_code_for(Ending{
          .kind = Kind::refused, .close = {.code = mqtt::ReasonCode::not_authorized}, .had_connected = true}),
      ExitCode::not_authorized);
}

TEST(ExitCode, OfAClientCertificateRefusedAfterTheHandshakeIsTls) {
  const Error alert{ErrorDomain::tls, 0, "server sent alert: certificate required"};
  EXPECT_EQ(exit_code_for(Ending{.kind = Ending::Kind::connection_lost, .error = alert}), ExitCode::tls);
  EXPECT_EQ(
      exit_code_for(Ending{.kind = Ending::Kind::connection_lost, .error = alert, .was_connected = true}),
      ExitCode::connection_lost);
}

}  // namespace
}  // namespace mq
