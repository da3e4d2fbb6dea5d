#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/util/error.hpp>

namespace mq {

/// Where a password comes from; at most one of these is set.
struct SecretSource {
  std::optional<std::string> value{};
  std::optional<std::string> file{};
  std::optional<std::string> environment{};  ///< name of a variable
  std::optional<std::string> command{};      ///< for /bin/sh -c
  bool prompt = false;

  [[nodiscard]] bool given() const { return value || file || environment || command || prompt; }
};

/// More than any field of MQTT holds.
inline constexpr std::size_t secret_max_bytes = 65'535;

/// The secret, or nothing if no source is given. From a file and a command exactly one trailing line
/// feed is removed. `what` ("password") serves the prompt and the errors, which never show a secret.
/// Blocks: a command or a person may take its time. Call it before the loop runs.
[[nodiscard]] mqtt::Result<std::optional<std::string>> resolve_secret(const SecretSource& source,
                                                                      std::string_view what);

}  // namespace mq
