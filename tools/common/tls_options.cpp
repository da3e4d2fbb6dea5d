#include "common/tls_options.hpp"

#include <fmt/format.h>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq {
namespace {

using mqtt::net::TlsVersion;

std::optional<TlsVersion> parse_version(std::string_view word) {
  if (word.starts_with("tlsv")) word.remove_prefix(4);
  if (word == "1.2") return TlsVersion::tls1_2;
  if (word == "1.3") return TlsVersion::tls1_3;
  return std::nullopt;
}

ValueResult keep_versions(mqtt::net::TlsOptions& tls, std::string_view value) {
  const std::size_t dots = value.find("..");
  const auto min = parse_version(value.substr(0, dots));
  const auto max = dots == std::string_view::npos ? std::nullopt : parse_version(value.substr(dots + 2));
  const bool range = dots != std::string_view::npos;
  if (!min || (range && (!max || *max < *min)))
    return std::unexpected(
        fmt::format("{} is not 1.2, 1.3 or a range of them such as 1.2..1.3", in_quotes(value)));
  tls.min_version = *min;
  tls.max_version = max;
  return {};
}

}  // namespace

void declare_tls_strength(Options& o, mqtt::net::TlsOptions& tls, std::string_view group) {
  o.parsed("--tls-version", [&tls](std::string_view value) { return keep_versions(tls, value); })
      .metavar("MIN[..MAX]")
      .group(group)
      .text("TLS versions to accept: 1.2, 1.3 or a range")
      .default_text("1.2")
      .example("--tls-version 1.3");
  o.text("--ciphers", tls.ciphers)
      .metavar("LIST")
      .group(group)
      .must(not_empty)
      .text("OpenSSL cipher list for TLS 1.2");
  o.text("--tls-ciphersuites", tls.ciphersuites)
      .metavar("LIST")
      .group(group)
      .must(not_empty)
      .text("OpenSSL cipher suites for TLS 1.3");
}

}  // namespace mq
