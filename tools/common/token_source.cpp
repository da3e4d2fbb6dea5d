#include "common/token_source.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "common/jwt.hpp"

namespace mq {
namespace {

using mqtt::ErrorDomain;
using mqtt::Result;

mqtt::Result<std::string> text_of(CommandResult result) {
  if (!result.succeeded)
    return mqtt::fail(ErrorDomain::system, EIO,
                      fmt::format("the command for the token ended with {}", result.how));
  if (result.output.ends_with('\n')) result.output.pop_back();
  return std::move(result.output);
}

}  // namespace

Result<mqtt::Token> make_token(std::string text, std::optional<mqtt::Duration> lifetime, WallTime now) {
  if (text.empty()) return mqtt::fail(ErrorDomain::system, EINVAL, "the token is empty");
  if (text.size() > secret_max_bytes)
    return mqtt::fail(ErrorDomain::system, EMSGSIZE,
                      fmt::format("the token is longer than {} bytes", secret_max_bytes));
  if (const auto end = jwt_expiry(text)) lifetime = *end - now;
  return mqtt::Token{std::move(text), lifetime};
}

void TokenSource::fetch(mqtt::net::Loop& loop, Done done) {
  done_ = std::move(done);
  if (secret_.command) return run_command(loop);
  read_file(loop);
}

void TokenSource::run_command(mqtt::net::Loop& loop) {
  auto started = Command::start(loop,
                                {.command = *secret_.command,
                                 .environment = {},
                                 .input = {},
                                 .collects_output = true,
                                 .output_max = secret_max_bytes + 1,
                                 .time_limit = mqtt::TokenRenewal::fetch_timeout},
                                [this](CommandResult result) { finish(text_of(std::move(result))); });
  if (started) return void(command_ = std::move(*started));
  failed_ = std::make_unique<mqtt::net::Timer>(
      loop, [this, error = std::move(started.error())] { finish(std::unexpected(error)); });
  failed_->set(loop.now());
}

void TokenSource::read_file(mqtt::net::Loop& loop) {
  const auto text = std::make_shared<Text>(std::nullopt);
  reading_ = std::make_unique<mqtt::net::Background>(
      loop, [text, secret = secret_] { *text = resolve_secret(secret, "token"); },
      [this, text](Result<void> ran) {
        if (!ran) return finish(std::unexpected(std::move(ran.error())));
        if (!*text) return finish(std::unexpected(std::move(text->error())));
        finish((*text)->value_or(""));
      });
}

void TokenSource::finish(Result<std::string> text) {
  const Done done = std::exchange(done_, nullptr);
  cancel();
  if (!text) return done(std::unexpected(std::move(text.error())));
  done(make_token(std::move(*text), lifetime_, std::chrono::system_clock::now()));
}

void TokenSource::cancel() {
  done_ = nullptr;
  command_.reset();
  reading_.reset();
  failed_.reset();
}

}  // namespace mq
