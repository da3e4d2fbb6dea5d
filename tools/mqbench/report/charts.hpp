#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "mqbench/report/chart.hpp"
#include "mqbench/report/page.hpp"

namespace mq::bench::report {

/// Figures over the seconds of the runs. "" for what none of the results knows.
[[nodiscard]] std::string rate_chart(Subjects subjects);
[[nodiscard]] std::string percentile_charts(Subjects subjects);
[[nodiscard]] std::string processor_chart(Subjects subjects);
[[nodiscard]] std::string memory_chart(Subjects subjects);
[[nodiscard]] std::string connections_chart(Subjects subjects);
/// Where something was missing; with several results in the colour of each.
[[nodiscard]] std::vector<Mark> outage_marks(Subjects subjects);
/// Figures over latencies.
[[nodiscard]] std::string spectrum_chart(Subjects subjects);
[[nodiscard]] std::string heat_maps(Subjects subjects);
[[nodiscard]] std::string phases_chart(Subjects subjects);

/// Latencies of messages, in the order in which they are shown.
inline constexpr std::array<std::string_view, 4> message_latencies{"due_to_received", "sent_to_received",
                                                                   "lag", "ack"};
/// Of a latency: of messages from publisher to subscriber or broker, not of connecting.
[[nodiscard]] bool is_of_messages(std::string_view latency_name);
/// "due to received".
[[nodiscard]] std::string with_spaces(std::string name);

}  // namespace mq::bench::report
