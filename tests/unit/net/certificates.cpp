#include <unit/net/certificates.hpp>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace mqtt::net::test {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

KeyPtr make_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

CertificatePtr make_certificate(const CertificateWishes& wishes, int serial, EVP_PKEY* key) {
  constexpr long day_s = 24 * 3600;
  CertificatePtr certificate{X509_new(), &X509_free};
  X509_set_version(certificate.get(), 2);  // means version 3
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wishes.first_day * day_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wishes.last_day * day_s);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wishes.common_name.data()),
                             static_cast<int>(wishes.common_name.size()), -1, 0);
  X509_set_pubkey(certificate.get(), key);
  std::string names;
  for (const std::string& name : wishes.names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) add_extension(certificate.get(), NID_subject_alt_name, names);
  return certificate;
}

std::string certificate_pem(X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
  PEM_write_bio_X509(out.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string key_pem(EVP_PKEY* key, const std::string& password) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, password.empty() ? nullptr : EVP_aes_256_cbc(),
                                password.empty() ? nullptr : password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

TlsOptions server_options(const CertificateFiles& files) {
  TlsOptions options;
  options.certificate_file = files.certificate;
  options.key_file = files.key;
  return options;
}

TlsOptions client_options(const Authority& authority) {
  TlsOptions options;
  options.ca_file = authority.ca_file();
  return options;
}

struct Authority::Keys {
  KeyPtr key;
  CertificatePtr certificate;
};

Authority::Authority() {
  CertificateWishes wishes;
  wishes.names = {};
  static int authorities = 0;
  wishes.common_name = "mq test authority " + std::to_string(++authorities);
  keys_ = std::make_unique<Keys>(Keys{make_key(), {nullptr, &X509_free}});
  keys_->certificate = make_certificate(wishes, 1, keys_->key.get());
  X509* certificate = keys_->certificate.get();
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_sign(certificate, keys_->key.get(), EVP_sha256());
  ca_file_ = directory_.write("ca.pem", certificate_pem(certificate));
}

Authority::~Authority() = default;

CertificateFiles Authority::issue(const CertificateWishes& wishes) { return write(wishes, keys_.get()); }
CertificateFiles Authority::self_signed(const CertificateWishes& wishes) { return write(wishes, nullptr); }

CertificateFiles Authority::write(const CertificateWishes& wishes, const Keys* issuer) {
  const std::string number = std::to_string(++count_);
  const KeyPtr key = make_key();
  const CertificatePtr certificate = make_certificate(wishes, count_ + 1, key.get());
  const X509* named = issuer ? issuer->certificate.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(named));
  X509_sign(certificate.get(), issuer ? issuer->key.get() : key.get(), EVP_sha256());
  return {directory_.write("cert" + number + ".pem", certificate_pem(certificate.get())),
          directory_.write("key" + number + ".pem", key_pem(key.get(), wishes.key_password))};
}

}  // namespace mqtt::net::test
