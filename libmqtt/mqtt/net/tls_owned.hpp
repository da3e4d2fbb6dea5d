#pragma once
#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

namespace mqtt::net {

struct TlsFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
  void operator()(PKCS12* file) const { PKCS12_free(file); }
  void operator()(OSSL_STORE_CTX* store) const { OSSL_STORE_close(store); }
  void operator()(OSSL_STORE_INFO* item) const { OSSL_STORE_INFO_free(item); }
  void operator()(UI_METHOD* method) const { UI_destroy_method(method); }
};

/// What OpenSSL has made and wants back. For the sources of this layer alone.
template <class T>
using TlsOwned = std::unique_ptr<T, TlsFree>;

}  // namespace mqtt::net
