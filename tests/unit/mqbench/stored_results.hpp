#pragma once
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "mqbench/histogram_json.hpp"
#include "mqbench/results/stored_result.hpp"

/// Results as files would hold them, to be read, merged and compared.
namespace mq::bench::results {

inline Field text_field(std::string name, std::string text) {
  std::string json = '"' + text + '"';
  return {.name = std::move(name), .json = std::move(json), .text = std::move(text)};
}

inline Field number_field(std::string name, std::string number) {
  return {.name = std::move(name), .json = number, .text = number};
}

/// A run of 1000 messages in a second, without latencies and intervals.
inline StoredResult plain_result(std::string file = "a.json") {
  StoredResult result;
  result.file = std::move(file);
  result.run = 7;
  result.started = WallTime{std::chrono::seconds{1'795'245'607}};
  result.ended = result.started + std::chrono::seconds{2};
  result.verdict = "valid";
  result.scenario = {text_field("name", "quick"), number_field("rate", "1000"), number_field("seed", "1")};
  result.broker = {text_field("address", "localhost:1883"), text_field("version", "5.0")};
  result.machine = {text_field("host", "one"), text_field("kernel", "Linux 6.1.0-18")};
  result.tool = {text_field("version", "0.1.0"), number_field("threads", "2"), number_field("cpu_s", "0.5"),
                 number_field("busiest", "0.25"), number_field("cpu_s_per_million", "250")};
  result.threads = 2;
  result.cpu_s = 0.5;
  result.busiest = 0.25;
  result.cpu_s_per_million = 250;
  for (const std::string_view name : {"expected", "received", "sent"})
    result.counts.push_back({.name = std::string{name}, .value = 1'000});
  result.counts.push_back({.name = "lost", .value = 0});
  result.times = {.first_due = 1'000, .last_sent = 1'000'001'000, .last_received = 1'250'001'000};
  result.sent_per_second = 1'000;
  result.received_per_second = 800;
  return result;
}

/// Of values in nanoseconds.
inline Histogram histogram_of(std::initializer_list<std::int64_t> values) {
  Histogram histogram;
  for (const std::int64_t value : values) histogram.record(value);
  return histogram;
}

inline void expect_same(const Histogram& a, const Histogram& b) {
  EXPECT_EQ(a.counters(), b.counters());
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.min(), b.min());
  EXPECT_EQ(a.max(), b.max());
  EXPECT_EQ(a.clipped(), b.clipped());
  EXPECT_EQ(a.negative(), b.negative());
}

}  // namespace mq::bench::results
