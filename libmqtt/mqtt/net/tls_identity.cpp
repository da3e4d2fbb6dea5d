#include <mqtt/net/tls_identity.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <mqtt/net/tls_explain.hpp>
#include <mqtt/net/tls_owned.hpp>

namespace mqtt::net {
namespace {

/// The key's password as OpenSSL's callback wants it, and whether it was wanted at all.
struct Password {
  const std::optional<std::string>* given;
  bool asked = false;

  static int give(char* buffer, int size, int /*for_writing*/, void* self) {
    auto& password = *static_cast<Password*>(self);
    password.asked = true;
    if (!*password.given || (*password.given)->size() > static_cast<std::size_t>(size)) return -1;
    std::ranges::copy(**password.given, buffer);
    return static_cast<int>((*password.given)->size());
  }
};

using Key = TlsOwned<EVP_PKEY>;

/// What went wrong with a key, by whether its password was asked for.
std::unexpected<Error> no_key(std::string_view where, const Password& password, std::string_view otherwise) {
  ERR_clear_error();
  if (password.asked && !*password.given)
    return refuse_tls(fmt::format("key '{}' is encrypted and needs its password", where));
  if (password.asked) return refuse_tls(fmt::format("cannot decrypt key '{}': wrong password", where));
  return refuse_tls(fmt::format("no private key in '{}'{}", where, otherwise));
}

Result<Key> read_key(const std::string& path, const std::optional<std::string>& given_password) {
  if (auto readable = check_tls_file("key", path); !readable) return std::unexpected(readable.error());
  const TlsOwned<BIO> file{BIO_new_file(path.c_str(), "r")};
  Password password{&given_password};
  Key key{PEM_read_bio_PrivateKey(file.get(), nullptr, &Password::give, &password)};
  ERR_clear_error();
  if (!key) return no_key(path, password, " (not PEM?)");
  return key;
}

/// A URI's PIN is a secret (RFC 7512 section 2.4).
std::string without_query(std::string_view uri) {
  const std::size_t query = uri.find('?');
  return query == uri.npos ? std::string{uri} : fmt::format("{}?...", uri.substr(0, query));
}

/// The first private key of a store ("pkcs11:object=x", "file:/path").
Result<Key> load_key(const std::string& uri, const std::optional<std::string>& given_password) {
  const std::string name = without_query(uri);
  Password password{&given_password};
  const TlsOwned<UI_METHOD> ask{UI_UTIL_wrap_read_pem_callback(&Password::give, 0)};
  const TlsOwned<OSSL_STORE_CTX> store{
      OSSL_STORE_open_ex(uri.c_str(), nullptr, nullptr, ask.get(), &password, nullptr, nullptr, nullptr)};
  if (!store) return refuse_tls(fmt::format("cannot open key store '{}': {}", name, take_tls_reason()));
  OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY);
  while (!OSSL_STORE_eof(store.get())) {
    const TlsOwned<OSSL_STORE_INFO> item{OSSL_STORE_load(store.get())};
    if (!item && OSSL_STORE_error(store.get())) break;
    if (!item || OSSL_STORE_INFO_get_type(item.get()) != OSSL_STORE_INFO_PKEY) continue;
    ERR_clear_error();
    return Key{OSSL_STORE_INFO_get1_PKEY(item.get())};
  }
  return no_key(name, password, "");
}

/// "pkcs11:object=x", "file:/path": a scheme (RFC 3986, 3.1), and no file of that name.
bool is_uri(const std::string& text) {
  const std::size_t colon = text.find(':');
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  const bool scheme = colon != text.npos && colon > 1 && text.find_first_not_of(allowed) == colon;
  return scheme && ::access(text.c_str(), F_OK) != 0;
}

Result<void> set_certificate(SSL_CTX* context, const TlsOptions& options) {
  const std::string& certificate = options.certificate_file;
  if (auto readable = check_tls_file("certificate", certificate); !readable) return readable;
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return refuse_tls(fmt::format("cannot use certificate '{}': {}", certificate, take_tls_reason()));
  const std::string& place = options.key_file.empty() ? certificate : options.key_file;
  const auto key =
      is_uri(place) ? load_key(place, options.key_password) : read_key(place, options.key_password);
  if (!key) return std::unexpected(key.error());
  if (SSL_CTX_use_PrivateKey(context, key->get()) == 1) return {};
  ERR_clear_error();
  return refuse_tls(
      fmt::format("key '{}' does not match certificate '{}'", without_query(place), certificate));
}

Result<void> set_pkcs12(SSL_CTX* context, const TlsOptions& options) {
  const std::string& path = options.pkcs12_file;
  if (auto readable = check_tls_file("PKCS #12 file", path); !readable) return readable;
  const TlsOwned<BIO> bio{BIO_new_file(path.c_str(), "rb")};
  const TlsOwned<PKCS12> file{d2i_PKCS12_bio(bio.get(), nullptr)};
  ERR_clear_error();
  if (!file) return refuse_tls(fmt::format("'{}' is not a PKCS #12 file", path));
  const char* password = options.key_password ? options.key_password->c_str() : nullptr;
  if (!PKCS12_verify_mac(file.get(), password, -1) && (password || !PKCS12_verify_mac(file.get(), "", 0)))
    return refuse_tls(
        fmt::format("cannot decrypt '{}': {}", path, password ? "wrong password" : "it needs its password"));
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* chain = nullptr;
  if (!PKCS12_parse(file.get(), password, &key, &certificate, &chain))
    return refuse_tls(fmt::format("cannot decrypt '{}': {}", path, take_tls_reason()));
  const Key owned_key{key};
  const TlsOwned<X509> owned_certificate{certificate};
  const TlsOwned<STACK_OF(X509)> owned_chain{chain};
  if (!key || !certificate) return refuse_tls(fmt::format("'{}' has no certificate with its key", path));
  if (SSL_CTX_use_cert_and_key(context, certificate, key, chain, 1) == 1) return {};
  return refuse_tls(fmt::format("cannot use the certificate in '{}': {}", path, take_tls_reason()));
}

Result<void> set_pem(SSL_CTX* context, const std::string& pem) {
  const auto text = [&pem] {
    return TlsOwned<BIO>{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  };
  const auto for_key = text(), for_certificates = text();
  const Key key{PEM_read_bio_PrivateKey(for_key.get(), nullptr, nullptr, nullptr)};
  const TlsOwned<X509> certificate{PEM_read_bio_X509(for_certificates.get(), nullptr, nullptr, nullptr)};
  bool usable = key && certificate && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
                SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  while (usable) {
    const TlsOwned<X509> next{PEM_read_bio_X509(for_certificates.get(), nullptr, nullptr, nullptr)};
    if (!next) break;
    usable = SSL_CTX_add1_chain_cert(context, next.get()) == 1;
  }
  ERR_clear_error();
  if (usable) return {};
  return refuse_tls("the certificate and key given as text cannot be used");
}

}  // namespace

std::unexpected<Error> refuse_tls(std::string context) {
  return std::unexpected(tls_error(std::move(context)));
}

std::unexpected<Error> cannot_read_tls(std::string_view what, std::string_view path, int code) {
  return refuse_tls(
      fmt::format("cannot read {} '{}': {}", what, path, std::generic_category().message(code)));
}

Result<void> check_tls_file(std::string_view what, const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot_read_tls(what, path, errno);
  ::close(fd);
  return {};
}

Result<void> set_identity(TlsContext::Impl& tls, const TlsOptions& options) {
  if (!options.identity_pem.empty()) return set_pem(tls.context.get(), options.identity_pem);
  if (!options.pkcs12_file.empty()) return set_pkcs12(tls.context.get(), options);
  if (!options.certificate_file.empty()) return set_certificate(tls.context.get(), options);
  if (options.key_file.empty()) return {};
  return refuse_tls(fmt::format("key '{}' has no certificate with it", without_query(options.key_file)));
}

}  // namespace mqtt::net
