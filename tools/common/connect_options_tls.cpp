#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/connect_parts.hpp"
#include "common/secret_options.hpp"
#include "common/spelling.hpp"
#include "common/tls_options.hpp"

namespace mq::detail {
namespace {

constexpr std::string_view group = "TLS";

/// Each of them asks for TLS where the transport is not said by a URL.
constexpr std::array<std::string_view, 18> tls_options{
    "--cafile",      "--capath",       "--tls-use-os-certs",
    "--cert",        "--key",          "--keypass-file",
    "--keypass-env", "--keypass-cmd",  "--keypass-prompt",
    "--tls-version", "--ciphers",      "--tls-ciphersuites",
    "--tls-alpn",    "--sni",          "--insecure",
    "--psk",         "--psk-identity", "--tls-keylog"};

ValueResult keep_alpn(mqtt::net::TlsOptions& tls, std::string_view value) {
  constexpr std::size_t name_max = 255;  // a one-octet length (RFC 7301, 3.1)
  tls.alpn = split_at_commas(value);
  for (const std::string& name : tls.alpn)
    if (name.empty() || name.size() > name_max)
      return std::unexpected(fmt::format("{} is not a list of protocol names", quoted(value)));
  return {};
}

ValueResult keep_psk(mqtt::net::TlsOptions& tls, std::string_view value) {
  const bool digits = value.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (value.empty() || value.size() % 2 != 0 || !digits)
    return std::unexpected(std::string{"the key is not hexadecimal"});
  tls.psk_key = value;
  return {};
}

void declare_trust(Options& o, mqtt::net::TlsOptions& tls) {
  o.text("--cafile", tls.ca_file)
      .metavar("FILE")
      .group(group)
      .text("trust the CA certificates in this PEM file, instead of the system's")
      .example("--cafile ca.pem");
  o.text("--capath", tls.ca_path)
      .metavar("DIR")
      .group(group)
      .text("trust the CA certificates in this directory (openssl rehash)");
  o.flag("--tls-use-os-certs", tls.use_os_certs)
      .group(group)
      .text("trust the system's CA certificates, also besides --cafile and --capath");
  o.flag("--insecure", tls.insecure)
      .group(group)
      .text("do not verify the server's certificate: anybody may listen in");
}

void declare_identity(Options& o, ConnectionConfig& config) {
  mqtt::net::TlsOptions& tls = config.tls;
  o.text("--cert", tls.certificate_file)
      .metavar("FILE")
      .group(group)
      .text("the client's certificate, with its chain")
      .needs({"--key"});
  o.text("--key", tls.key_file).metavar("FILE").group(group).text("the certificate's key").needs({"--cert"});
  declare_secret_options(o, config.key_password, "--keypass", "the key's password", group, {});
  o.parsed("--psk", [&tls](std::string_view value) { return keep_psk(tls, value); })
      .metavar("HEX")
      .group(group)
      .text("pre-shared key, instead of certificates")
      .needs({"--psk-identity"})
      .excludes({"--cafile", "--capath", "--cert"})
      .secret();
  o.text("--psk-identity", tls.psk_identity)
      .metavar("NAME")
      .group(group)
      .text("whose pre-shared key it is")
      .needs({"--psk"});
}

void declare_protocol(Options& o, ConnectionConfig& config) {
  mqtt::net::TlsOptions& tls = config.tls;
  declare_tls_strength(o, tls, group);
  o.parsed("--tls-alpn", [&tls](std::string_view value) { return keep_alpn(tls, value); })
      .metavar("A,B")
      .group(group)
      .text("application protocols to offer")
      .example("--tls-alpn mqtt");
  o.text("--sni", config.tls_server_name)
      .metavar("NAME")
      .group(group)
      .text("the name to ask for and to find in the certificate, instead of the host's");
  o.text("--tls-keylog", tls.key_log_file)
      .metavar("FILE")
      .group(group)
      .env("SSLKEYLOGFILE")
      .text("append the session keys, for Wireshark");
}

}  // namespace

void declare_tls_options(Options& options, ConnectionConfig& config) {
  declare_trust(options, config.tls);
  declare_identity(options, config);
  declare_protocol(options, config);
}

std::string_view typed_tls_option(const Options& options) {
  const auto typed = std::ranges::find_if(tls_options, [&](std::string_view name) {
    return options.find(name).source() == Source::command_line;
  });
  return typed == tls_options.end() ? std::string_view{} : *typed;
}

}  // namespace mq::detail
