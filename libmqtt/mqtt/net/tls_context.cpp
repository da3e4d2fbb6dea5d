#include <mqtt/net/tls_context.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <mqtt/net/tls_explain.hpp>
#include <mqtt/net/tls_identity.hpp>
#include <mqtt/net/tls_psk.hpp>

namespace mqtt::net {
namespace {

using Impl = TlsContext::Impl;

enum class Role { client, server };

int version_number(TlsVersion version) {
  switch (version) {
    case TlsVersion::tls1_0: return TLS1_VERSION;
    case TlsVersion::tls1_1: return TLS1_1_VERSION;
    case TlsVersion::tls1_2: return TLS1_2_VERSION;
    case TlsVersion::tls1_3: break;
  }
  return TLS1_3_VERSION;
}

Result<void> set_versions(Impl& tls, const TlsOptions& options) {
  if (options.max_version && *options.max_version < options.min_version)
    return refuse_tls("the highest TLS version is below the lowest");
  SSL_CTX_set_min_proto_version(tls.context.get(), version_number(options.min_version));
  if (options.max_version)
    SSL_CTX_set_max_proto_version(tls.context.get(), version_number(*options.max_version));
  return {};
}

Result<void> set_ciphers(Impl& tls, const TlsOptions& options) {
  if (!options.ciphers.empty() && !SSL_CTX_set_cipher_list(tls.context.get(), options.ciphers.c_str()))
    return refuse_tls(fmt::format("no usable cipher in '{}'", options.ciphers));
  if (!options.ciphersuites.empty() &&
      !SSL_CTX_set_ciphersuites(tls.context.get(), options.ciphersuites.c_str()))
    return refuse_tls(fmt::format("no usable TLS 1.3 cipher suite in '{}'", options.ciphersuites));
  return {};
}

Result<void> trust_file(Impl& tls, const std::string& path) {
  if (auto readable = check_tls_file("CA file", path); !readable) return readable;
  if (!SSL_CTX_load_verify_file(tls.context.get(), path.c_str()))
    return refuse_tls(fmt::format("no certificate in CA file '{}': {}", path, take_tls_reason()));
  return {};
}

Result<void> trust_directory(Impl& tls, const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return cannot_read_tls("CA directory", path, errno);
  if (!S_ISDIR(info.st_mode)) return cannot_read_tls("CA directory", path, ENOTDIR);
  SSL_CTX_load_verify_dir(tls.context.get(), path.c_str());
  return {};
}

Result<void> set_trust(Impl& tls, const TlsOptions& options, Role role) {
  if (options.insecure) return {};
  if (!options.ca_file.empty())
    if (auto done = trust_file(tls, options.ca_file); !done) return done;
  if (!options.ca_path.empty())
    if (auto done = trust_directory(tls, options.ca_path); !done) return done;
  const bool nothing_given = options.ca_file.empty() && options.ca_path.empty();
  // A server that trusted every public CA by default would let in anybody who has a web site.
  if (options.use_os_certs || (nothing_given && role == Role::client))
    if (!SSL_CTX_set_default_verify_paths(tls.context.get()))
      return refuse_tls("cannot load the system's trust store: " + take_tls_reason());
  return {};
}

Result<void> set_alpn(Impl& tls, const TlsOptions& options) {
  for (const std::string& name : options.alpn) {
    if (name.empty() || name.size() > 255)
      return refuse_tls(fmt::format("'{}' cannot be an ALPN protocol name", name));
    tls.alpn += static_cast<char>(name.size());
    tls.alpn += name;
  }
  return {};
}

void offer_alpn(Impl& tls) {
  if (tls.alpn.empty()) return;
  SSL_CTX_set_alpn_protos(tls.context.get(), as_bytes(tls.alpn).data(),
                          static_cast<unsigned>(tls.alpn.size()));
}

void select_alpn(Impl& tls) {
  if (tls.alpn.empty()) return;
  const auto select = [](SSL*, const unsigned char** out, unsigned char* out_size,
                         const unsigned char* offered, unsigned offered_size, void* self) {
    const Bytes ours = as_bytes(static_cast<Impl*>(self)->alpn);
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, out_size, ours.data(),
                                            static_cast<unsigned>(ours.size()), offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  };
  SSL_CTX_set_alpn_select_cb(tls.context.get(), select, &tls);
}

Impl& impl_of(const SSL* ssl) { return *static_cast<Impl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))); }

void log_key(const SSL* ssl, const char* line) {
  const std::string whole = std::string{line} + '\n';  // one write: several processes may share the file
  if (::write(impl_of(ssl).key_log_fd, whole.data(), whole.size()) < 0) return;  // an aid for debugging only
}

Result<void> set_key_log(Impl& tls, const TlsOptions& options) {
  if (options.key_log_file.empty()) return {};
  tls.key_log_fd = ::open(options.key_log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (tls.key_log_fd < 0)
    return refuse_tls(fmt::format("cannot write key log '{}': {}", options.key_log_file,
                                  std::generic_category().message(errno)));
  SSL_CTX_set_keylog_callback(tls.context.get(), &log_key);
  return {};
}

/// What does not depend on options.
Result<std::unique_ptr<Impl>> make_impl() {
  auto tls = std::make_unique<Impl>();
  tls->context.reset(SSL_CTX_new(TLS_method()));
  if (!tls->context) return refuse_tls("cannot start OpenSSL: " + take_tls_reason());
  SSL_CTX* context = tls->context.get();
  SSL_CTX_set_app_data(context, tls.get());
  // An idle connection gives back its 34 KiB of record buffers.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return tls;
}

Result<void> apply_common(Impl& tls, const TlsOptions& options, Role role) {
  if (auto done = set_versions(tls, options); !done) return done;
  if (auto done = set_ciphers(tls, options); !done) return done;
  if (auto done = set_trust(tls, options, role); !done) return done;
  if (auto done = set_identity(tls, options); !done) return done;
  if (auto done = set_alpn(tls, options); !done) return done;
  auto psk = role == Role::client ? set_client_psk(tls, options) : set_server_psks(tls, options);
  if (!psk) return psk;
  return set_key_log(tls, options);
}

Result<void> set_client_verification(Impl& tls, const TlsOptions& options) {
  if (options.client_certificates == ClientCertificates::none) return {};
  if (options.ca_file.empty() && options.ca_path.empty() && !options.use_os_certs)
    return refuse_tls("client certificates cannot be checked without a CA file or directory");
  const int must =
      options.client_certificates == ClientCertificates::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(tls.context.get(), SSL_VERIFY_PEER | must, nullptr);
  if (!options.ca_file.empty())
    SSL_CTX_set_client_CA_list(tls.context.get(), SSL_load_client_CA_file(options.ca_file.c_str()));
  // Resumption of a session with a client certificate needs a name for where it is valid.
  constexpr std::string_view where = "mq";
  SSL_CTX_set_session_id_context(tls.context.get(), as_bytes(where).data(),
                                 static_cast<unsigned>(where.size()));
  return {};
}

}  // namespace

TlsContext::Impl::~Impl() {
  if (key_log_fd >= 0) ::close(key_log_fd);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsOptions& options) {
  auto tls = make_impl();
  if (!tls) return std::unexpected(std::move(tls.error()));
  if (auto done = apply_common(**tls, options, Role::client); !done)
    return std::unexpected(std::move(done.error()));
  (*tls)->verify_peer = !options.insecure;
  (*tls)->pins = options.pins;
  SSL_CTX_set_verify((*tls)->context.get(), options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  offer_alpn(**tls);
  return std::make_shared<const TlsContext>(std::move(*tls));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsOptions& options) {
  if (options.certificate_file.empty() && options.pkcs12_file.empty() && options.identity_pem.empty() &&
      options.psk_key.empty() && options.psk_file.empty())
    return refuse_tls("a TLS server needs a certificate or a pre-shared key");
  auto tls = make_impl();
  if (!tls) return std::unexpected(std::move(tls.error()));
  if (auto done = apply_common(**tls, options, Role::server); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = set_client_verification(**tls, options); !done)
    return std::unexpected(std::move(done.error()));
  select_alpn(**tls);
  if ((*tls)->psks.empty() && options.psk_file.empty())
    SSL_CTX_set_num_tickets((*tls)->context.get(), 1);  // two by default, for browsers' parallel connections
  return std::make_shared<const TlsContext>(std::move(*tls));
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
TlsContext::~TlsContext() = default;

}  // namespace mqtt::net
