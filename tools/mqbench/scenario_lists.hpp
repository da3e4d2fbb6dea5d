#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/client/endpoint.hpp>

#include "common/json_writer.hpp"
#include "common/property_options.hpp"

// Strings and lists among the values of a scenario's JSON. A list that is empty is not written; what keeps
// one takes well-formed JSON.

namespace mq::bench {

/// What is wrong with a value, as the end of a sentence.
using ScenarioFault = std::optional<std::string>;

[[nodiscard]] std::optional<std::string> string_in(std::string_view json);
[[nodiscard]] ScenarioFault keep_text(std::string& target, std::string_view json);

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts);
[[nodiscard]] ScenarioFault keep_texts(std::vector<std::string>& target, std::string_view json);

/// Without users, passwords and queries.
void write_brokers(JsonWriter& json, std::string_view key, const std::vector<mqtt::Endpoint>& brokers);
[[nodiscard]] ScenarioFault keep_brokers(std::vector<mqtt::Endpoint>& target, std::string_view json);
/// As an option takes it, too.
[[nodiscard]] ScenarioFault add_broker(std::vector<mqtt::Endpoint>& target, std::string_view url);

/// [["publish","content_type","text/plain"],["connect","user_property","k","v"]]: the words of -D.
void write_properties(JsonWriter& json, const PropertySet& properties);
/// "publish content_type text/plain", each.
[[nodiscard]] std::vector<std::string> property_texts(const PropertySet& properties);
/// Authentication is no part of a scenario.
[[nodiscard]] ScenarioFault keep_properties(PropertySet& target, std::string_view json);

}  // namespace mq::bench
