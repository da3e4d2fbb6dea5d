#include "mqbroker/listener_settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/secret_options.hpp"
#include "common/spelling.hpp"
#include "common/tls_options.hpp"

namespace mq {
namespace {

using mqtt::net::ClientCertificates;

constexpr std::string_view group = "Listeners (each option is for all, and for each in a [[listener]] table)";

ValueResult keep_mode(mode_t& mode, std::string_view value) {
  unsigned number = 0;
  const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), number, 8);
  if (fault != std::errc{} || end != value.data() + value.size() || number > 0777)
    return std::unexpected(fmt::format("{} is not an octal mode such as 0660", in_quotes(value)));
  mode = number;
  return {};
}

void declare_tls(Options& o, ListenerTraits& traits) {
  mqtt::net::TlsOptions& tls = traits.tls;
  o.text("--cert", tls.certificate_file)
      .file()
      .group(group)
      .text("mqtts, wss: the server's certificate, with its chain (PEM)")
      .needs({"--key"});
  o.text("--key", tls.key_file).file().group(group).text("the certificate's key").needs({"--cert"});
  declare_secret_options(o, traits.key_password, "--keypass", "the key's password", group, {});
  o.choice("--client-certs", tls.client_certificates,
           {{"none", ClientCertificates::none},
            {"optional", ClientCertificates::optional},
            {"required", ClientCertificates::required}})
      .metavar("WHICH")
      .group(group)
      .text("whether clients show certificates, signed by a CA of --cafile or --capath");
  o.text("--cafile", tls.ca_file).file().group(group).text("CA certificates for the clients' (PEM)");
  o.text("--capath", tls.ca_path)
      .directory()
      .group(group)
      .text("directory of CA certificates for the clients' (openssl rehash)");
  o.flag("--cert-as-user", traits.certificate_names_user)
      .group(group)
      .text("a client's user name is its certificate's common name, whatever its CONNECT says");
  o.text("--psk-file", tls.psk_file)
      .file()
      .group(group)
      .text(
          "mqtts, wss: instead of certificates, keys that are shared with the clients: lines IDENTITY:KEY, "
          "the "
          "key hexadecimal, as mosquitto's psk_file has them. A client's user name is its identity, whatever "
          "its "
          "CONNECT says, and no password is asked for");
  declare_tls_strength(o, tls, group);
}

struct TableTarget {
  ListenerSettings listener;
  bool has_url = false;
};

void declare_table(Options& o, TableTarget& target) {
  o.parsed("--url", [&target](std::string_view value) -> ValueResult {
    auto place = parse_listen_url(value);
    if (!place) return std::unexpected(std::move(place.error()));
    target.listener.place = std::move(*place);
    target.has_url = true;
    return {};
  });
  o.number("--max-connections", target.listener.traits.connections_max);
  declare_listener_traits(o, target.listener.traits);
}

std::optional<std::string> find_tls_fault(const ListenerTraits& traits) {
  const mqtt::net::TlsOptions& tls = traits.tls;
  const bool asks = tls.client_certificates != ClientCertificates::none;
  if (!tls.psk_file.empty()) {
    if (tls.certificate_file.empty() && !asks) return std::nullopt;
    return "--psk-file goes without certificates: they want a listener of their own";
  }
  if (tls.certificate_file.empty()) return "it needs --cert and --key, or --psk-file";
  if (asks && tls.ca_file.empty() && tls.ca_path.empty()) return "--client-certs needs --cafile or --capath";
  if (traits.certificate_names_user && !asks) return "--cert-as-user needs --client-certs";
  return std::nullopt;
}

std::optional<std::string> find_plain_fault(const ListenerSettings& listener) {
  const mqtt::net::TlsOptions& tls = listener.traits.tls;
  const bool has_tls_settings = !tls.certificate_file.empty() || !tls.psk_file.empty() ||
                                tls.client_certificates != ClientCertificates::none ||
                                listener.traits.certificate_names_user;
  // What is said for all listeners concerns those that can use it.
  if (listener.where.empty() || !has_tls_settings) return std::nullopt;
  return "it has no TLS: write mqtts:// or wss://, or leave the certificates to other listeners";
}

bool asks_who_it_is(const ListenerSettings& listener) {
  const mqtt::net::TlsOptions& tls = listener.traits.tls;
  return mqtt::uses_tls(listener.place.transport) &&
         (tls.client_certificates == ClientCertificates::required || !tls.psk_file.empty());
}

}  // namespace

void declare_listener_traits(Options& o, ListenerTraits& traits) {
  o.flag("--allow-anonymous", traits.allow_anonymous)
      .group(group)
      .text(
          "let anybody in who can reach an address beyond this machine, and with --password-file who has no "
          "user "
          "name");
  o.flag("--proxy-protocol", traits.proxy_protocol)
      .group(group)
      .text(
          "connections come through a proxy that sends the PROXY protocol header, v1 or v2; others are "
          "closed");
  o.parsed("--unix-mode", [&traits](std::string_view value) { return keep_mode(traits.unix_mode, value); })
      .metavar("MODE")
      .group(group)
      .default_text("0660")
      .text("permissions of a unix socket");
  declare_tls(o, traits);
}

std::expected<ListenerSettings, std::string> read_listener(const SettingsTable& table,
                                                           const ListenerTraits& common) {
  TableTarget target;
  target.listener.traits = common;
  target.listener.where = table.where;
  Options options{{.name = "", .summary = "", .usage = ""}};
  declare_table(options, target);
  if (auto sentence = options.read_settings(table.settings)) return std::unexpected(std::move(*sentence));
  if (!target.has_url) return std::unexpected(fmt::format("{}: the listener has no url", table.where));
  return std::move(target.listener);
}

std::optional<std::string> find_fault(const ListenerSettings& listener, Admission admission) {
  auto fault =
      mqtt::uses_tls(listener.place.transport) ? find_tls_fault(listener.traits) : find_plain_fault(listener);
  const bool open_to_all =
      !listener.place.is_local() && !listener.traits.allow_anonymous && !asks_who_it_is(listener);
  if (!fault && open_to_all && admission == Admission::anybody)
    fault =
        "anybody could connect: it needs --client-certs required, --psk-file, --password-file, or "
        "--allow-anonymous if "
        "that is "
        "meant";
  if (!fault) return std::nullopt;
  const std::string prefix = listener.where.empty() ? "" : listener.where + ": ";
  return fmt::format("{}cannot listen on {}: {}", prefix, mqtt::escape_for_terminal(listener.place.url()),
                     *fault);
}

}  // namespace mq
