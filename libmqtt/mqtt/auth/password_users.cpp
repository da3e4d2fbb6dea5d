#include <mqtt/auth/password_users.hpp>

#include <algorithm>

#include <mqtt/util/bytes.hpp>

namespace mqtt::auth {
namespace {

/// The client's two messages, and the two answers.
class ScramExchange final : public broker::AuthExchange {
 public:
  ScramExchange(ScramHash hash, std::shared_ptr<const PasswordFile> file, std::string nonce)
      : hash_{hash}, file_{std::move(file)}, server_{hash, std::move(nonce)} {}

  broker::AuthDecision step(std::string_view data) override {
    const bool first = !std::exchange(begun_, true);
    const auto lookup = [this](std::string_view user) { return file_->scram_verifier(hash_, user); };
    auto answer = first ? server_.begin(data, lookup) : server_.finish(data);
    // Why is nothing that somebody who tries should learn.
    if (!answer) return broker::AuthDecision::refused(ReasonCode::not_authorized);
    broker::AuthDecision decision;
    decision.kind = first ? broker::AuthDecision::Kind::challenge : broker::AuthDecision::Kind::allow;
    decision.user = server_.user();
    decision.data = std::move(*answer);
    return decision;
  }

 private:
  ScramHash hash_;
  std::shared_ptr<const PasswordFile> file_;
  ScramServer server_;
  bool begun_ = false;
};

}  // namespace

broker::AuthDecision PasswordUsers::authenticate(const ConnectView& connect,
                                                 const broker::ConnectionInfo& info) {
  if (!connect.user_name) {
    const bool welcome = std::ranges::find(anonymous_listeners_, info.listener) != anonymous_listeners_.end();
    return welcome ? broker::AuthDecision::allowed("")
                   : broker::AuthDecision::refused(ReasonCode::not_authorized);
  }
  return broker::AuthDecision::later([file = file_, user = std::string{*connect.user_name},
                                      password = mqtt::to_string(connect.password.value_or(Bytes{}))] {
    if (!file->fits(user, password))
      return broker::AuthDecision::refused(ReasonCode::bad_user_name_or_password);
    return broker::AuthDecision::allowed(user);
  });
}

std::unique_ptr<broker::AuthExchange> PasswordUsers::begin(std::string_view method, std::string_view) {
  const auto hash = find_scram_hash(method);
  if (!hash || !file_->offers(*hash)) return nullptr;
  return std::make_unique<ScramExchange>(*hash, file_, nonce_());
}

}  // namespace mqtt::auth
