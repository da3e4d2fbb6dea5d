#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <mqtt/util/error.hpp>

namespace mqtt {

/// A client's part of enhanced authentication (4.12), by one method, one exchange after another. It goes with
/// CONNECT, and again when the client re-authenticates. An error ends the connection; it is a clause for a
/// person, without a secret.
class AuthMechanism {
 public:
  virtual ~AuthMechanism() = default;

  /// The Authentication Method; always the same.
  [[nodiscard]] virtual std::string_view method() const = 0;
  /// A new exchange: the Authentication Data of CONNECT, or of the AUTH that re-authenticates; empty for
  /// none.
  [[nodiscard]] virtual std::string begin() = 0;
  /// The server's AUTH wants to be answered.
  [[nodiscard]] virtual Result<std::string> answer(std::string_view data) = 0;
  /// The server has accepted us. Do we accept the server?
  [[nodiscard]] virtual Result<void> finish(std::string_view data) = 0;
  /// The same for another client, at the same time. Null: nothing of an exchange is kept here, this one
  /// serves all.
  [[nodiscard]] virtual std::unique_ptr<AuthMechanism> for_another_client() const { return nullptr; }
};

/// A method that has said all with its first data: a token, or what the user says.
class FixedMechanism final : public AuthMechanism {
 public:
  FixedMechanism(std::string method, std::string data) : method_{std::move(method)}, data_{std::move(data)} {}

  /// From the next exchange on.
  void set_data(std::string data) { data_ = std::move(data); }

  std::string_view method() const override { return method_; }
  std::string begin() override { return data_; }
  Result<std::string> answer(std::string_view) override;
  Result<void> finish(std::string_view) override { return {}; }

 private:
  std::string method_;
  std::string data_;
};

}  // namespace mqtt
