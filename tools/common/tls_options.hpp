#pragma once
#include <string_view>

#include <mqtt/net/tls.hpp>

#include "common/options.hpp"

namespace mq {

/// What both sides of TLS say about versions and ciphers.
void declare_tls_strength(Options& options, mqtt::net::TlsOptions& tls, std::string_view group);

}  // namespace mq
