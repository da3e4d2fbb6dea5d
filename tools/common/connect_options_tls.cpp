#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <mqtt/util/base64.hpp>

#include "common/connect_parts.hpp"
#include "common/secret_options.hpp"
#include "common/spelling.hpp"
#include "common/tls_options.hpp"
#include "common/value_checks.hpp"

namespace mq::detail {
namespace {

constexpr std::string_view group = "TLS";

/// Each of them asks for TLS where the transport is not said by a URL.
constexpr std::array<std::string_view, 24> tls_options{"--cafile",
                                                       "--capath",
                                                       "--tls-use-os-certs",
                                                       "--cert",
                                                       "--key",
                                                       "--pkcs12",
                                                       "--keypass-file",
                                                       "--keypass-env",
                                                       "--keypass-cmd",
                                                       "--keypass-prompt",
                                                       "--tls-version",
                                                       "--ciphers",
                                                       "--tls-ciphersuites",
                                                       "--tls-alpn",
                                                       "--sni",
                                                       "--insecure",
                                                       "--pin-sha256",
                                                       "--psk",
                                                       "--psk-file",
                                                       "--psk-env",
                                                       "--psk-cmd",
                                                       "--psk-prompt",
                                                       "--psk-identity",
                                                       "--tls-keylog"};

/// curl's "sha256//BASE64" is taken, too.
ValueResult keep_pin(mqtt::net::TlsOptions& tls, std::string_view value) {
  constexpr std::string_view prefix = "sha256//";
  constexpr std::size_t digest_bytes = 32;
  auto pin = mqtt::from_base64(value.starts_with(prefix) ? value.substr(prefix.size()) : value);
  if (!pin || pin->size() != digest_bytes)
    return std::unexpected(fmt::format("{} is not a SHA-256 in base64", in_quotes(value)));
  tls.pins.push_back(std::move(*pin));
  return {};
}

/// A store's URI may hold a PIN (RFC 7512 section 2.4).
std::vector<Option::Part> secrets_of_key(std::string_view uri) {
  constexpr std::string_view name = "pin-value=";
  const std::size_t at = uri.find(name);
  if (at == uri.npos) return {};
  return {{at + name.size(), std::min(uri.find('&', at), uri.size())}};
}

ValueResult keep_alpn(mqtt::net::TlsOptions& tls, std::string_view value) {
  constexpr std::size_t name_max = 255;  // a one-byte length (RFC 7301, 3.1)
  tls.alpn = split_at_commas(value);
  for (const std::string& name : tls.alpn)
    if (name.empty() || name.size() > name_max)
      return std::unexpected(fmt::format("{} is not a list of protocol names", in_quotes(value)));
  return {};
}

void declare_trust(Options& o, mqtt::net::TlsOptions& tls) {
  o.text("--cafile", tls.ca_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("trust the CA certificates in this PEM file, instead of the system's")
      .example("--cafile ca.pem");
  o.text("--capath", tls.ca_path)
      .directory()
      .group(group)
      .must(not_empty)
      .text("trust the CA certificates in this directory (openssl rehash)");
  o.flag("--tls-use-os-certs", tls.use_os_certs)
      .group(group)
      .text("trust the system's CA certificates, also besides --cafile and --capath");
  o.flag("--insecure", tls.insecure)
      .group(group)
      .text("do not verify the server's certificate: anybody may listen in, unless its key is pinned");
  o.parsed("--pin-sha256", [&tls](std::string_view value) { return keep_pin(tls, value); })
      .metavar("BASE64")
      .group(group)
      .repeats()
      .text(
          "accept only a server whose public key has this SHA-256; may be given many times, and with "
          "--insecure "
          "it is all that is verified");
}

void declare_identity(Options& o, ConnectionConfig& config) {
  mqtt::net::TlsOptions& tls = config.tls;
  o.text("--cert", tls.certificate_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("the client's certificate, with its chain")
      .needs({"--key"});
  o.text("--key", tls.key_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("the certificate's key, or the URI of an OpenSSL store that has it (pkcs11:...)")
      .needs({"--cert"})
      .secret(secrets_of_key);
  declare_secret_options(o, config.key_password, "--keypass", "the password of --key or --pkcs12", group, {});
  o.text("--pkcs12", tls.pkcs12_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("the client's certificate, chain and key in one file")
      .excludes({"--cert", "--key"});
}

void declare_psk(Options& o, ConnectionConfig& config) {
  const std::initializer_list<std::string_view> certificates{"--cafile", "--capath", "--cert", "--pkcs12",
                                                             "--pin-sha256"};
  o.text("--psk", config.psk.value)
      .metavar("HEX")
      .group(group)
      .text("the pre-shared key in the place of certificates; better use one of the following")
      .needs({"--psk-identity"})
      .excludes(certificates)
      .secret();
  declare_secret_options(o, config.psk, "--psk", "the pre-shared key, hexadecimal,", group, {"--psk"});
  o.text("--psk-identity", config.tls.psk_identity)
      .metavar("NAME")
      .group(group)
      .text("whose pre-shared key it is")
      .excludes(certificates);
}

/// mosquitto's options for OpenSSL's engines, which OpenSSL itself has given up.
void declare_engine(Options& o) {
  constexpr std::string_view instead =
      "OpenSSL's engines are not supported: give --key the URI of a store (pkcs11:...)";
  const auto refuse = [instead](std::string_view) -> ValueResult {
    return std::unexpected(std::string{instead});
  };
  o.parsed("--keyform",
           [refuse](std::string_view value) -> ValueResult {
             if (value == "pem") return {};
             if (value == "engine") return refuse(value);
             return std::unexpected(fmt::format("{} is not pem", in_quotes(value)));
           })
      .metavar("FORM")
      .group(group)
      .hidden()
      .text("pem; a store's URI says what it is");
  for (const std::string_view name : {"--tls-engine", "--tls-engine-kpass-sha1"})
    o.parsed(name, refuse).metavar("TEXT").group(group).hidden().text("not supported").secret();
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
      .must(not_empty)
      .text("the name to ask for and to find in the certificate, instead of the host's");
  o.text("--tls-keylog", tls.key_log_file)
      .file()
      .group(group)
      .must(not_empty)
      .env("SSLKEYLOGFILE")
      .text("append the session keys, for Wireshark");
}

}  // namespace

std::optional<std::string> psk_fault(std::string_view hex) {
  const bool digits = hex.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (!hex.empty() && hex.size() % 2 == 0 && digits) return std::nullopt;
  return "the key is not hexadecimal";
}

void declare_tls_options(Options& options, ConnectionConfig& config) {
  declare_trust(options, config.tls);
  declare_identity(options, config);
  declare_psk(options, config);
  declare_engine(options);
  declare_protocol(options, config);
}

void declare_no_tls(Options& options, ConnectionConfig& config) {
  Option& none = options.flag("--no-tls", config.typed.no_tls)
                     .group(group)
                     .text("no TLS, whatever a file or a variable says");
  for (const std::string_view name : tls_options) none.excludes({name});
}

std::string_view typed_tls_option(const Options& options, Source at_least) {
  const auto typed = std::ranges::find_if(tls_options, [&](std::string_view name) {
    const Source source = options.find(name).source();
    return source >= at_least && source != Source::default_value && source != Source::environment;
  });
  return typed == tls_options.end() ? std::string_view{} : *typed;
}

std::optional<std::string> join_tls(const ConnectionConfig& config) {
  if (config.typed.no_tls && mqtt::uses_tls(config.transport)) return "option '--no-tls' contradicts the URL";
  const bool key = config.psk.given(), identity = !config.tls.psk_identity.empty();
  if (identity && !key) return "option '--psk-identity' needs option '--psk'";
  if (key && !identity) return "a pre-shared key needs option '--psk-identity'";
  if (config.psk.value)
    if (auto fault = psk_fault(*config.psk.value)) return "option '--psk': " + *fault;
  return std::nullopt;
}

}  // namespace mq::detail
