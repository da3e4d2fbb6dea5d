#include "mqreq/response_topic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/bytes.hpp>

namespace mq {
namespace {

/// A longer client id would make a topic that no server takes.
constexpr std::size_t client_id_max = 1024;

std::string base_of_our_own(std::string_view client_id) {
  std::string base = "mq/reply";
  if (client_id.empty() || client_id.size() > client_id_max) return base;
  base += '/';
  std::ranges::transform(client_id, std::back_inserter(base),
                         [](char c) { return c == '+' || c == '#' ? '_' : c; });
  return base;
}

/// What the server says has no form that MQTT defines: it may not be meant as a topic.
bool can_begin_a_topic(std::string_view text) {
  return !text.empty() && !text.starts_with("$share/") && !mqtt::find_topic_name_error(text);
}

}  // namespace

std::string make_response_topic(std::string_view response_information, std::string_view client_id,
                                std::string_view random) {
  std::string topic = can_begin_a_topic(response_information) ? std::string{response_information}
                                                              : base_of_our_own(client_id);
  if (!topic.ends_with('/')) topic += '/';
  for (const char byte : random) topic += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return topic;
}

}  // namespace mq
