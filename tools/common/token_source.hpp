#pragma once
#include <memory>
#include <optional>
#include <string>

#include <mqtt/client/token_renewal.hpp>
#include <mqtt/net/background.hpp>

#include "common/command.hpp"
#include "common/secrets.hpp"
#include "common/wall_time.hpp"

namespace mq {

/// What is known of a token: how long it lives is said by itself, if it is a JSON Web Token, or else by
/// `lifetime`. An empty token is an error.
[[nodiscard]] mqtt::Result<mqtt::Token> make_token(std::string text, std::optional<mqtt::Duration> lifetime,
                                                   WallTime now);

/// Reads a token's file or runs its command again, as often as it is asked. Neither holds the loop up: a
/// command is its child, and a file, which may be on a slow disk, is read in a thread.
class TokenSource final : public mqtt::TokenSource {
 public:
  /// `secret` has a file or a command.
  TokenSource(SecretSource secret, std::optional<mqtt::Duration> lifetime)
      : secret_{std::move(secret)}, lifetime_{lifetime} {}

  void fetch(mqtt::net::Loop& loop, Done done) override;
  void cancel() override;

 private:
  using Text = mqtt::Result<std::optional<std::string>>;

  void run_command(mqtt::net::Loop& loop);
  void read_file(mqtt::net::Loop& loop);
  void finish(mqtt::Result<std::string> text);

  SecretSource secret_;
  std::optional<mqtt::Duration> lifetime_;
  Done done_;
  std::unique_ptr<Command> command_;
  std::unique_ptr<mqtt::net::Background> reading_;
  std::unique_ptr<mqtt::net::Timer> failed_;
};

}  // namespace mq
