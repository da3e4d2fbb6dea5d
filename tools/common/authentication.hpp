#pragma once
#include <expected>

#include <mqtt/client/client.hpp>

#include "common/client_setup.hpp"
#include "common/connect_options.hpp"

namespace mq {

/// Fetches the password or the token and puts what they make into `options`: the password of CONNECT, or a
/// mechanism; and where the next token comes from, if there is one.
[[nodiscard]] std::expected<void, SetupFailure> add_credentials(mqtt::ClientOptions& options,
                                                                const ConnectionConfig& config);

/// For one exchange of SCRAM: 144 random bits in base64, which has no comma.
[[nodiscard]] std::string scram_nonce();

/// The secret, or nothing if no source is given.
[[nodiscard]] std::expected<std::optional<std::string>, SetupFailure> fetch_secret(const SecretSource& source,
                                                                                   std::string_view what);

}  // namespace mq
