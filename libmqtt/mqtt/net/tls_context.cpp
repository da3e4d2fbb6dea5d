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

Result<std::vector<std::uint8_t>> parse_hex(const std::string& hex) {
  const auto digit = [](char c) {
    return std::string_view{"0123456789abcdef"}.find(static_cast<char>(c | 0x20));
  };
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const std::size_t high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high > 15 || low > 15) break;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  if (bytes.empty() || bytes.size() * 2 != hex.size())
    return refuse_tls("the pre-shared key is not a row of hexadecimal octets");
  if (bytes.size() > PSK_MAX_PSK_LEN) return refuse_tls("the pre-shared key is too long");
  return bytes;
}

Impl& impl_of(const SSL* ssl) { return *static_cast<Impl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))); }

unsigned give_psk(SSL* ssl, const char* /*hint*/, char* identity, unsigned identity_size, unsigned char* key,
                  unsigned key_size) {
  const Impl& tls = impl_of(ssl);
  if (tls.psk_identity.size() >= identity_size || tls.psk_key.size() > key_size) return 0;
  std::ranges::copy(tls.psk_identity, identity);
  identity[tls.psk_identity.size()] = '\0';
  std::ranges::copy(tls.psk_key, key);
  return static_cast<unsigned>(tls.psk_key.size());
}

unsigned find_psk(SSL* ssl, const char* identity, unsigned char* key, unsigned key_size) {
  const Impl& tls = impl_of(ssl);
  if (!identity || tls.psk_identity != identity || tls.psk_key.size() > key_size) return 0;
  std::ranges::copy(tls.psk_key, key);
  return static_cast<unsigned>(tls.psk_key.size());
}

Result<void> set_psk(Impl& tls, const TlsOptions& options, Role role) {
  if (options.psk_key.empty() && options.psk_identity.empty()) return {};
  if (options.psk_key.empty() || options.psk_identity.empty())
    return refuse_tls("a pre-shared key and its identity go together");
  if (options.psk_identity.size() > PSK_MAX_IDENTITY_LEN)
    return refuse_tls("the pre-shared key's identity is too long");
  auto key = parse_hex(options.psk_key);
  if (!key) return std::unexpected(std::move(key.error()));
  tls.psk_key = std::move(*key);
  tls.psk_identity = options.psk_identity;
  if (role == Role::client)
    SSL_CTX_set_psk_client_callback(tls.context.get(), &give_psk);
  else
    SSL_CTX_set_psk_server_callback(tls.context.get(), &find_psk);
  return {};
}

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
  if (auto done = set_psk(tls, options, role); !done) return done;
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
      options.psk_key.empty())
    return refuse_tls("a TLS server needs a certificate or a pre-shared key");
  auto tls = make_impl();
  if (!tls) return std::unexpected(std::move(tls.error()));
  if (auto done = apply_common(**tls, options, Role::server); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = set_client_verification(**tls, options); !done)
    return std::unexpected(std::move(done.error()));
  select_alpn(**tls);
  SSL_CTX_set_num_tickets((*tls)->context.get(), 1);  // two by default, for browsers' parallel connections
  return std::make_shared<const TlsContext>(std::move(*tls));
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
TlsContext::~TlsContext() = default;

}  // namespace mqtt::net
