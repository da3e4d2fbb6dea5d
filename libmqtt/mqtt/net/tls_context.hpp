#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/net/tls.hpp>

namespace mqtt::net {

struct FreeSslContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

struct TlsContext::Impl {
  std::unique_ptr<SSL_CTX, FreeSslContext> context;
  bool verify_peer = false;  // a client checks the chain and the name
  std::string alpn;          // in wire format: length byte, name, ...
  std::vector<std::string> pins;
  std::map<std::string, std::vector<std::uint8_t>, std::less<>> psks;  // by identity; a client has one
  int key_log_fd = -1;

  ~Impl();
};

}  // namespace mqtt::net
