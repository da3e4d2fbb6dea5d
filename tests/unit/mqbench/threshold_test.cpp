#include "mqbench/threshold.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "mqbench/run_result.hpp"

namespace {

using namespace std::chrono_literals;
using mq::bench::judge_threshold;
using mq::bench::Measurements;
using mq::bench::RunResult;
using mq::bench::Scenario;
using mq::bench::Threshold;
using mq::bench::Verdict;

/// Latencies of 1 to 100 ms, 100 messages in 10 seconds, 3 of them lost.
RunResult a_run() {
  RunResult result;
  Measurements& m = result.measurements;
  for (int ms = 1; ms <= 100; ++ms) {
    m.due_to_received.record(ms * 1'000'000LL);
    m.sent_to_received.record(ms * 100'000LL);
  }
  m.connect.record(700'000'000);
  m.sent = 100;
  m.received = 97;
  m.lost = 3;
  m.first_due = mqtt::TimePoint{1s};
  m.last_sent = m.last_received = mqtt::TimePoint{11s};
  return result;
}

std::string wrong(std::string_view text) {
  const auto threshold = Threshold::parse(text);
  return threshold ? "" : threshold.error();
}

bool passes(std::string_view text, const RunResult& result = a_run()) {
  const auto threshold = Threshold::parse(text);
  EXPECT_TRUE(threshold) << text;
  return threshold && judge_threshold(*threshold, result).passed;
}

TEST(Threshold, ComparesLatencies) {
  for (const auto* text : {"p99<100ms", "p99>98ms", "p50<=51ms", "p99.9<0.2s", "max>=100ms", "min<=1001us",
                           "mean>50ms", "mean<51ms", "due_to_received.p50<60ms", "sent_to_received.p99<10ms",
                           "connect.max<1s", "p100<1m", "p0.5<2ms"})
    EXPECT_TRUE(passes(text)) << text;
  for (const auto* text :
       {"p99<99ms", "p50>51ms", "max<100ms", "sent_to_received.p50<5ms", "connect.p50<600ms"})
    EXPECT_FALSE(passes(text)) << text;
}

TEST(Threshold, ComparesCountsAndRates) {
  for (const auto* text : {"lost==3", "lost!=0", "lost<=3", "received>96", "duplicated==0", "rate>=9.7",
                           "rate==9.7/s", "sent_rate<10.1", "connections_lost<1"})
    EXPECT_TRUE(passes(text)) << text;
  for (const auto* text : {"lost==0", "lost<3", "rate>=9.8", "sent!=100"}) EXPECT_FALSE(passes(text)) << text;
}

TEST(Threshold, EachCountOfTheResultHasItsName) {
  RunResult result;
  std::uint64_t value = 1;
  Measurements& m = result.measurements;
  for (auto* count : {&m.sent, &m.unsent, &m.held, &m.sending_turns, &m.unsent_bytes, &m.acked, &m.rejected,
                      &m.unacked, &m.expected, &m.received, &m.lost, &m.duplicated, &m.reordered,
                      &m.corrupted, &m.foreign, &m.retained, &m.connections_lost})
    *count = value++;
  value = 1;
  for (const auto* name : {"sent", "unsent", "held", "sending_turns", "unsent_bytes", "acked", "rejected",
                           "unacked", "expected", "received", "lost", "duplicated", "reordered", "corrupted",
                           "foreign", "retained", "connections_lost"})
    EXPECT_TRUE(passes(std::string{name} + "==" + std::to_string(value++), result)) << name;
}

TEST(Threshold, BlanksDoNotCount) {
  const auto threshold = Threshold::parse("  p99 \t<=  5ms ");
  ASSERT_TRUE(threshold);
  EXPECT_EQ(threshold->text(), "p99<=5ms");
}

TEST(Threshold, WhatWasNotMeasuredIsNotPassed) {
  const auto outcome = judge_threshold(*Threshold::parse("ack.p50<1h"), a_run());
  EXPECT_FALSE(outcome.value || outcome.passed);
}

TEST(Threshold, ARunThatIsNotValidPassesNone) {
  for (const Verdict verdict : {Verdict::tool_bound, Verdict::broker_bound}) {
    auto result = a_run();
    result.verdict = verdict;
    const auto outcome = judge_threshold(*Threshold::parse("p99<1h"), result);
    EXPECT_FALSE(outcome.passed);
    EXPECT_EQ(outcome.value, static_cast<double>(result.measurements.due_to_received.at_percentile(99)));
  }
}

TEST(Threshold, ValuesAreShownWithTheirUnits) {
  const auto shown = [](std::string_view text, double value) { return Threshold::parse(text)->shown(value); };
  EXPECT_EQ(shown("p99<5ms", 4.1e6), "4.1 ms");
  EXPECT_EQ(shown("p99<5ms", 1.25e9), "1.25 s");
  EXPECT_EQ(shown("p99<5ms", 70'500), "70.5 us");
  EXPECT_EQ(shown("p99<5ms", 0), "0 ns");
  EXPECT_EQ(shown("lost==0", 12), "12");
  EXPECT_EQ(shown("rate>=9990", 9991.52), "9991.5/s");
}

TEST(Threshold, WhatIsWrongIsSaid) {
  const auto says = [](std::string_view text, std::string_view words) {
    EXPECT_TRUE(wrong(text).contains(words)) << text << ": " << wrong(text);
  };
  for (const auto* text : {"", "p99", "lost", "p99 5ms"}) says(text, "compares nothing");
  for (const auto* text : {"<5ms", "p<5ms", "p101<1s", "p0<1s", "p-1<1s", "pmax<1s", "median<1s", "ack<1s",
                           "ack.<1s", "ack.p<1s", ".p99<1s", "nothing.p99<1s", "lost.p99<1", "rate.max<1",
                           "ack.p99.<1s", "p1e1<1s", "due_to_received.lost<1"})
    says(text, "is no value of a run");
  for (const auto* text : {"p99=5ms", "p99=<5ms", "p99<<5ms", "lost!0", "lost===0", "lost<>0"})
    says(text, "is none of <");
  for (const auto* text :
       {"p99<", "p99<5", "p99<5x", "p99<-5ms", "p99<5 ms ms", "p99<0", "p99<5ms<6ms", "p99<1e3ms"})
    says(text, "time such as");
  for (const auto* text : {"lost==", "lost==-1", "lost==0.5", "lost==0%", "lost==99999999999999999999"})
    says(text, "whole number");
  for (const auto* text :
       {"rate>=", "rate>=fast", "rate>=10/m", "rate>=-1", "rate>=/s", "rate>=inf", "rate>=nan"})
    says(text, "a rate such as");
}

TEST(Threshold, NothingUnsafeGetsIntoASentence) {
  EXPECT_EQ(wrong("\x1b[31m<5ms").find('\x1b'), std::string::npos);
}

std::string impossible(std::string_view text, const Scenario& scenario) {
  return Threshold::parse(text)->impossible_in(scenario).value_or("");
}

TEST(Threshold, AClosedLoopHasNoLatencyFromDueTimes) {
  const Scenario closed{.rate = 0};
  for (const auto* text : {"p99<5ms", "max<1s", "due_to_received.p50<1ms", "lag.p99<1ms"})
    EXPECT_TRUE(impossible(text, closed).contains("closed loop")) << text;
  for (const auto* text :
       {"sent_to_received.p99<5ms", "connect.max<1s", "subscribe.max<1s", "lost==0", "rate>=1"})
    EXPECT_EQ(impossible(text, closed), "") << text;
}

TEST(Threshold, WithoutSubscribersNothingIsDelivered) {
  const Scenario sink{.subscribers = 0};
  for (const auto* text : {"p99<5ms", "sent_to_received.max<1s", "subscribe.p50<1ms", "rate>1"})
    EXPECT_TRUE(impossible(text, sink).contains("without subscribers")) << text;
  for (const auto* text : {"lag.p99<5ms", "sent_rate>1", "connect.max<1s"})
    EXPECT_EQ(impossible(text, sink), "") << text;
}

TEST(Threshold, AtQos0NothingIsAcknowledged) {
  EXPECT_TRUE(impossible("ack.p50<1ms", {}).contains("QoS 0"));
  EXPECT_EQ(impossible("ack.p50<1ms", {.publish_qos = mqtt::QoS::at_least_once}), "");
}

}  // namespace
