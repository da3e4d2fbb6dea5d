#pragma once
#include <openssl/ssl.h>

#include <string>

#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// What is wrong with the certificate that `store` refuses, for a person: "certificate has expired
/// (2026-03-01)", "certificate is for example.org, not for localhost". Domain tls, X509_V_ERR_* code.
[[nodiscard]] Error explain_refused_certificate(X509_STORE_CTX* store, const std::string& server_name);

/// The oldest error of this thread's OpenSSL queue, which it empties: an alert by its name, else
/// OpenSSL's reason. `peer` is "server" or "client"; `doing` is what failed ("TLS handshake").
[[nodiscard]] Error explain_tls_failure(const char* peer, const char* doing);

/// OpenSSL's reason for the oldest error of the queue, which it empties.
[[nodiscard]] std::string take_tls_reason();

[[nodiscard]] Error tls_error(std::string context);

}  // namespace mqtt::net
