#pragma once
#include <openssl/ssl.h>

#include <string>

#include <mqtt/net/tls.hpp>
#include <mqtt/net/tls_context.hpp>

namespace mqtt::net {

/// The key that a client shows, or has to be shown.
[[nodiscard]] Result<void> set_client_psk(TlsContext::Impl& tls, const TlsOptions& options);
[[nodiscard]] Result<void> set_server_psks(TlsContext::Impl& tls, const TlsOptions& options);

/// Of a server's connection whose handshake is done: by which key of psk_file, or empty.
[[nodiscard]] std::string psk_identity_of(const SSL* ssl);

}  // namespace mqtt::net
