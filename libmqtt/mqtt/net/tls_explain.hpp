#pragma once
#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <vector>

#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// What is wrong with the certificate that `store` refuses, for a person: "certificate has expired
/// (2026-03-01)", "certificate is for example.org, not for localhost". Domain tls, X509_V_ERR_* code.
[[nodiscard]] Error explain_refused_certificate(X509_STORE_CTX* store, const std::string& server_name);

/// The SHA-256 of a certificate's public key, as pins have it (RFC 7469 section 2.4): 32 bytes.
[[nodiscard]] std::string public_key_pin(const X509* certificate);

/// What is wrong with a server whose certificate (null: none) has none of the keys that were pinned, if so.
[[nodiscard]] std::optional<Error> find_pin_fault(const X509* certificate,
                                                  const std::vector<std::string>& pins);

/// The oldest error of this thread's OpenSSL queue, which it empties: an alert by its name, else
/// OpenSSL's reason. `peer` is "server" or "client"; `doing` is what failed ("TLS handshake").
[[nodiscard]] Error explain_tls_failure(const char* peer, const char* doing);

/// OpenSSL's reason for the oldest error of the queue, which it empties.
[[nodiscard]] std::string take_tls_reason();

[[nodiscard]] Error tls_error(std::string context);

}  // namespace mqtt::net
