#pragma once
#include <string>
#include <string_view>

#include "mqbroker/broker_facts.hpp"

namespace mq {

/// One object: numbers since the start, from which the page makes rates.
[[nodiscard]] std::string status_json(const BrokerFacts& facts);

/// The whole page, with the numbers of the moment, so that it says something before it asks for more. It
/// loads nothing, and asks for nothing but status_path.
[[nodiscard]] std::string status_page(const BrokerFacts& facts);

inline constexpr std::string_view status_path = "/status.json";

/// Fields of the page's response: a browser runs and loads nothing but what the page itself brings.
[[nodiscard]] std::string_view status_page_fields();

}  // namespace mq
