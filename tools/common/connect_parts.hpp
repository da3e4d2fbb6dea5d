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

/// The first TLS option on the command line; empty if there is none.
[[nodiscard]] std::string_view typed_tls_option(const Options& options);

/// Joins the options into what ConnectionConfig promises; a sentence if they do not go together.
[[nodiscard]] std::optional<std::string> join_connection(const Options& options, ConnectionConfig& config);

[[nodiscard]] std::vector<std::string> split_at_commas(std::string_view text);

}  // namespace mq::detail
