#pragma once
#include <string>
#include <string_view>

#include <mqtt/net/tls.hpp>
#include <mqtt/net/tls_context.hpp>

namespace mqtt::net {

/// Own certificate, chain and key, from PEM files, a PKCS #12 file or an OpenSSL store.
[[nodiscard]] Result<void> set_identity(TlsContext::Impl& tls, const TlsOptions& options);

// What is wrong with files that TLS needs: Error{tls}.

[[nodiscard]] std::unexpected<Error> refuse_tls(std::string context);
[[nodiscard]] std::unexpected<Error> cannot_read_tls(std::string_view what, std::string_view path, int code);
/// OpenSSL does not say why it could not open a file.
[[nodiscard]] Result<void> check_tls_file(std::string_view what, const std::string& path);

}  // namespace mqtt::net
