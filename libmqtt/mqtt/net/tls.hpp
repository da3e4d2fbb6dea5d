#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/opened.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

enum class TlsVersion : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };
enum class ClientCertificates : std::uint8_t { none, optional, required };

/// How to do TLS. An empty string is "not given". Files are PEM.
struct TlsOptions {
  std::string ca_file;
  std::string ca_path;                      ///< directory of hashed certificates
  bool use_os_certs = false;                ///< trust the system's store besides ca_file and ca_path;
                                            ///< a client without either uses it anyway
  std::string certificate_file;             ///< own certificate, then its chain
  std::string key_file;                     ///< or the URI of an OpenSSL store: "pkcs11:object=x"
  std::string pkcs12_file;                  ///< own certificate, chain and key, instead of these two
  std::string identity_pem;                 ///< the same as text, instead of these three
  std::optional<std::string> key_password;  ///< of key_file or pkcs12_file
  /// SHA-256 of public keys (SubjectPublicKeyInfo), 32 bytes each: a client accepts a server with one of
  /// these only, besides what else it verifies. None: any.
  std::vector<std::string> pins;
  TlsVersion min_version = TlsVersion::tls1_2;
  std::optional<TlsVersion> max_version;
  std::string ciphers;            ///< OpenSSL list for TLS up to 1.2
  std::string ciphersuites;       ///< for TLS 1.3
  std::vector<std::string> alpn;  ///< in order of preference
  std::string key_log_file;       ///< NSS key log, appended to
  std::string psk_identity;
  std::string psk_key;  ///< hexadecimal
  std::string
      psk_file;  ///< server: lines "IDENTITY:KEY", KEY in hexadecimal; others are comments ('#') or empty
  bool insecure = false;                                              ///< client: no verification at all
  ClientCertificates client_certificates = ClientCertificates::none;  ///< server
};

/// Loaded certificates, keys and settings; made once, shared by connections of one loop.
class TlsContext {
 public:
  /// Verifies the peer's chain and name unless `options.insecure`. Errors are of domain tls and name
  /// the file or option: "cannot read CA file 'x': No such file or directory".
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> client(const TlsOptions& options);
  /// Needs a certificate and its key, or a pre-shared key.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> server(const TlsOptions& options);

  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// TLS over `inner`. The handshake starts at once; `opened` is called from the loop. Errors are of
/// domain tls; code is the X509_V_ERR_* value when a certificate was refused, else 0. The caller
/// keeps the deadline.
/// `server_name` is what the certificate must be for (a name or an IP literal) and, if it is a name,
/// what SNI asks for.
[[nodiscard]] std::unique_ptr<ByteStream> make_tls_client(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                          std::shared_ptr<const TlsContext> context,
                                                          const std::string& server_name, Opened opened);
[[nodiscard]] std::unique_ptr<ByteStream> make_tls_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                          std::shared_ptr<const TlsContext> context,
                                                          Opened opened);

}  // namespace mqtt::net
