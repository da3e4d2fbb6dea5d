#pragma once
#include <string>
#include <string_view>

namespace mq {

/// A topic of our own for replies: "BASE/RANDOM", with `random` in hex. The base is the server's Response
/// Information (3.2.2.3.14) if that can begin a topic, else "mq/reply/CLIENT_ID", where '+' and '#' of the
/// client id become '_'.
[[nodiscard]] std::string make_response_topic(std::string_view response_information,
                                              std::string_view client_id, std::string_view random);

}  // namespace mq
