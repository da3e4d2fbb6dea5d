#pragma once
#include <memory>
#include <string>

#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// A certificate authority that lives as long as this object: for who stands between a client that can be
/// told to trust it and a server. Its key never leaves the memory.
class ThrowawayCa {
 public:
  [[nodiscard]] static Result<ThrowawayCa> make();
  ThrowawayCa(ThrowawayCa&&) noexcept;
  ThrowawayCa& operator=(ThrowawayCa&&) noexcept;
  ~ThrowawayCa();

  /// For clients to trust, PEM.
  [[nodiscard]] const std::string& certificate() const;
  /// A certificate for this name or IP literal, the CA's, and its key: TlsOptions::identity_pem.
  [[nodiscard]] Result<std::string> issue(const std::string& name) const;

 private:
  struct State;
  explicit ThrowawayCa(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
