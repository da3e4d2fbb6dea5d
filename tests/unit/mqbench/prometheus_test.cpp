#include "mqbench/prometheus.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using namespace mq::bench;

LiveState running() {
  LiveState state{.scenario = "quick",
                  .phase = Phase::running,
                  .elapsed = 1500ms,
                  .clients = 20,
                  .ready = 20,
                  .connections = 19,
                  .sent = 100,
                  .received = 40,
                  .expected = 90};
  state.errors["\"a\\b\"\nc"] = 2;
  return state;
}

bool has_line(const std::string& text, const std::string& line) {
  return text.starts_with(line + '\n') || text.contains('\n' + line + '\n');
}

TEST(PrometheusText, HasACounterForWhatOnlyGrowsAndAGaugeForTheRest) {
  const std::string text = prometheus_text(running(), {.run = 7, .shard = ""});
  for (const char* line :
       {"# TYPE mqbench_messages_sent_total counter", "mqbench_messages_sent_total 100",
        "mqbench_messages_received_total 40", "# TYPE mqbench_messages_under_way gauge",
        "mqbench_messages_under_way 50", "mqbench_connections 19", "mqbench_elapsed_seconds 1.5",
        "mqbench_phase{phase=\"running\"} 1", "mqbench_phase{phase=\"draining\"} 0"})
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  EXPECT_TRUE(text.contains("run=\"7\"") && text.contains("shard=\"\"")) << text;
}

TEST(PrometheusText, EscapesWhatAPeerHasWritten) {
  EXPECT_TRUE(
      has_line(prometheus_text(running(), {}), "mqbench_errors_total{reason=\"\\\"a\\\\b\\\"\\nc\"} 2"));
}

TEST(PrometheusText, LeavesOutWhatIsNotKnown) {
  LiveState state = running();
  state.errors.clear();
  const std::string text = prometheus_text(state, {});
  for (const char* name : {"errors", "latency", "left", "processors", "broker"})
    EXPECT_FALSE(text.contains(name)) << name << "\n" << text;
}

TEST(PrometheusText, CumulatesLatenciesInSeconds) {
  mq::Histogram all;
  for (const std::int64_t ns :
       std::initializer_list<std::int64_t>{9'000, 20'000, 20'000, 3'000'000, 200'000'000'000})
    all.record(ns);
  const IntervalLatency last{
      .count = 4, .p50 = 20'000, .p99 = 3'000'000, .p99_9 = 3'000'000, .max = 3'100'000, .hdr = {}};
  LiveState state = running();
  state.last_second = &last;
  state.so_far = &all;
  const std::string text = prometheus_text(state, {});
  for (const char* line :
       {"# TYPE mqbench_latency_seconds histogram", "mqbench_latency_seconds_bucket{le=\"0.00001\"} 1",
        "mqbench_latency_seconds_bucket{le=\"0.000025\"} 3",
        "mqbench_latency_seconds_bucket{le=\"0.0025\"} 3", "mqbench_latency_seconds_bucket{le=\"0.005\"} 4",
        "mqbench_latency_seconds_bucket{le=\"100\"} 4", "mqbench_latency_seconds_bucket{le=\"+Inf\"} 5",
        "mqbench_latency_seconds_count 5", "mqbench_latency_last_second_seconds{percentile=\"99\"} 0.003",
        "mqbench_latency_last_second_seconds{percentile=\"100\"} 0.0031"})
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
}

TEST(PrometheusText, HasWhatToolAndBrokerUse) {
  LiveState state = running();
  state.usage = Usage{
      .tool_cpu = 0.5, .broker_cpu = 1.25, .broker = ProcessSample{.rss_bytes = 4096, .descriptors = 9}};
  const std::string text = prometheus_text(state, {});
  for (const char* line : {"mqbench_tool_processors 0.5", "mqbench_broker_processors 1.25",
                           "mqbench_broker_resident_memory_bytes 4096", "mqbench_broker_open_fds 9"})
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
}

}  // namespace
