#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/connect_options.hpp"
#include "common/options.hpp"

// The parts of declare_connect_options(), which is too much for one file.

namespace mq::detail {

void declare_tls_options(Options& options, ConnectionConfig& config);

void declare_authentication_options(Options& options, ConnectionConfig& config);
/// After the user name and the password are known.
[[nodiscard]] std::optional<std::string> join_authentication(const Options& options,
                                                             ConnectionConfig& config);

/// How the broker is reached: proxies, names, interfaces.
void declare_route_options(Options& options, ConnectionConfig& config);
/// After the transport and the hosts are known.
[[nodiscard]] std::optional<std::string> join_route(const Options& options, ConnectionConfig& config);

/// After declare_tls_options(): it excludes them all.
void declare_no_tls(Options& options, ConnectionConfig& config);

/// What is wrong with a pre-shared key, if something is.
[[nodiscard]] std::optional<std::string> psk_fault(std::string_view hex);
/// After the transport is known.
[[nodiscard]] std::optional<std::string> join_tls(const ConnectionConfig& config);

/// The first option that asks for TLS and comes from a source that is not beaten by `at_least`; a variable
/// (SSLKEYLOGFILE) does not ask for it. Empty if there is none.
[[nodiscard]] std::string_view typed_tls_option(const Options& options, Source at_least);

/// Joins the options into what ConnectionConfig promises; a sentence if they do not go together.
[[nodiscard]] std::optional<std::string> join_connection(const Options& options, ConnectionConfig& config);

/// A password in the user information, and a query, which may be a signature.
[[nodiscard]] std::vector<Option::Part> secrets_of_url(std::string_view url);

/// "500ms..30s"
[[nodiscard]] ValueResult keep_retry_delay(mqtt::ReconnectPolicy& policy, std::string_view value);

[[nodiscard]] std::vector<std::string> split_at_commas(std::string_view text);

}  // namespace mq::detail
