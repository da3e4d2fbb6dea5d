#include <mqtt/net/tls_throwaway.hpp>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/net/tls_explain.hpp>
#include <mqtt/net/tls_identity.hpp>
#include <mqtt/net/tls_owned.hpp>

namespace mqtt::net {
namespace {

constexpr long second = 1, day = 24 * 60 * 60 * second;
// Clocks that are a little apart must not matter, and nobody keeps it.
constexpr long valid_before = day, valid_after = 30 * day;

constexpr const char* ca_name = "mqspy throw-away CA";

/// Whoever has seen another one of the same issuer refuses a serial number that he knows.
bool set_random_serial(X509* certificate) {
  const TlsOwned<BIGNUM> number{BN_new()};
  return number && BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& common_name) {
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, as_bytes(common_name).data(),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const TlsOwned<X509_EXTENSION> made{X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

/// Unsigned yet, and without extensions.
TlsOwned<X509> begin_certificate(EVP_PKEY* key, const std::string& common_name) {
  TlsOwned<X509> made{X509_new()};
  const bool begun =
      made && X509_set_version(made.get(), X509_VERSION_3) == 1 && set_random_serial(made.get()) &&
      X509_gmtime_adj(X509_getm_notBefore(made.get()), -valid_before) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(made.get()), valid_after) != nullptr &&
      X509_set_pubkey(made.get(), key) == 1 && set_name(X509_get_subject_name(made.get()), common_name);
  return begun ? std::move(made) : nullptr;
}

template <class Write>
std::string as_pem(Write write) {
  const TlsOwned<BIO> text{BIO_new(BIO_s_mem())};
  if (!text || write(text.get()) != 1) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}
std::string pem_of(X509* certificate) {
  return as_pem([=](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}
std::string pem_of(EVP_PKEY* key) {
  return as_pem(
      [=](BIO* out) { return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

/// What cannot stand in the text of an extension, or in a name, is not asked for by anybody.
bool is_host_name(const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*";
  return !name.empty() && name.size() <= 253 && name.find_first_not_of(allowed) == name.npos;
}

}  // namespace

struct ThrowawayCa::State {
  TlsOwned<EVP_PKEY> key;
  TlsOwned<X509> certificate;
  std::string pem;
};

ThrowawayCa::ThrowawayCa(std::unique_ptr<State> state) : state_{std::move(state)} {}
ThrowawayCa::ThrowawayCa(ThrowawayCa&&) noexcept = default;
ThrowawayCa& ThrowawayCa::operator=(ThrowawayCa&&) noexcept = default;
ThrowawayCa::~ThrowawayCa() = default;

Result<ThrowawayCa> ThrowawayCa::make() {
  auto state = std::make_unique<State>();
  state->key.reset(EVP_EC_gen("P-256"));
  if (state->key) state->certificate = begin_certificate(state->key.get(), ca_name);
  X509* const own = state->certificate.get();
  const bool made = own && X509_set_issuer_name(own, X509_get_subject_name(own)) == 1 &&
                    add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(own, own, NID_key_usage, "critical,keyCertSign") &&
                    add_extension(own, own, NID_subject_key_identifier, "hash") &&
                    X509_sign(own, state->key.get(), EVP_sha256()) > 0;
  if (made) state->pem = pem_of(own);
  if (!state->pem.empty()) return ThrowawayCa{std::move(state)};
  return refuse_tls("cannot make a certificate authority: " + take_tls_reason());
}

const std::string& ThrowawayCa::certificate() const { return state_->pem; }

Result<std::string> ThrowawayCa::issue(const std::string& name) const {
  const bool is_ip = is_ip_literal(name);
  if (!is_ip && !is_host_name(name)) return refuse_tls("no certificate can be made for such a name");
  const TlsOwned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  // A common name has at most 64 characters (RFC 5280, appendix A); what counts is the alternative name.
  const auto made = key ? begin_certificate(key.get(), name.substr(0, 64)) : nullptr;
  X509* const issuer = state_->certificate.get();
  const bool done = made && X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
                    add_extension(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(made.get(), issuer, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(made.get(), issuer, NID_ext_key_usage, "serverAuth") &&
                    add_extension(made.get(), issuer, NID_authority_key_identifier, "keyid") &&
                    add_extension(made.get(), issuer, NID_subject_alt_name,
                                  fmt::format("{}:{}", is_ip ? "IP" : "DNS", name)) &&
                    X509_sign(made.get(), state_->key.get(), EVP_sha256()) > 0;
  if (done) return pem_of(made.get()) + state_->pem + pem_of(key.get());
  return refuse_tls(fmt::format("cannot make a certificate for {}: {}", name, take_tls_reason()));
}

}  // namespace mqtt::net
