#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mqbench/results/wall_time_text.hpp"
#include "stored_results.hpp"

namespace {

using namespace mq::bench::results;
using mq::Histogram;
using testing::HasSubstr;

StoredResult full_result() {
  StoredResult result = plain_result();
  result.interrupted = true;
  result.verdict = "tool-bound";
  result.reason = "a thread \"slept\"\n";
  result.passed = false;
  result.scenario_hash = "c0ffee";
  result.workers = 2;
  result.parts = {{text_field("host", "one")}, {text_field("host", "two")}};
  result.thresholds = {{.expression = "p99<5ms", .value = 4.5e6, .passed = true},
                       {.expression = "lost<1", .value = std::nullopt, .passed = false}};
  result.latencies = {{.name = "ack", .histogram = histogram_of({-1, 5'000, 4'000'000'000'000})},
                      {.name = "due_to_received", .histogram = histogram_of({1'234'567, 2'000'000})}};
  StoredInterval known{.second = 3, .sent = 10, .received = 9, .connections = 2};
  known.latency = SparseHistogram{histogram_of({1'000, 1'000, 77'777})};
  known.tool_cpu = 0.5;
  known.broker_cpu = 1.25;
  known.broker_rss_bytes = 1 << 20;
  known.broker_fds = 12;
  result.intervals = {{.second = 1}, known};
  result.outages = {
      {.from = 1, .to = 3, .over = true, .connections = 5, .received = 8, .recovered_ns = 5, .part = 2}};
  return result;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), with);
}

std::string fault_of(const std::string& text) {
  const auto result = parse_result(text, "a.json");
  return result ? "none" : result.error();
}

TEST(ResultReader, ReadsWhatWasWritten) {
  const StoredResult written = full_result();
  const auto read = parse_result(as_json(written), "a.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(as_json(*parse_result(as_json(*read), "b.json")), as_json(*read));
  EXPECT_EQ(read->sent_per_second + read->received_per_second, 1'800);
  EXPECT_EQ(read->parts, written.parts);
  EXPECT_EQ(read->scenario, written.scenario);
  EXPECT_EQ(read->outages, written.outages);
  EXPECT_EQ(read->started, written.started);
  EXPECT_EQ(read->reason, written.reason);
  EXPECT_EQ(read->passed, false);
  EXPECT_EQ(read->count("sent"), 1'000U);
  EXPECT_EQ(read->count("unheard-of"), 0U);
  EXPECT_EQ(read->thresholds[0].value, 4.5e6);
  EXPECT_FALSE(read->thresholds[1].value);
  expect_same(*read->latency("ack"), written.latencies[0].histogram);
  EXPECT_EQ(read->main_latency()->name, "due_to_received");
  EXPECT_EQ(read->intervals[1].second, 3U);
  EXPECT_FALSE(read->intervals[0].sent || read->intervals[0].latency || read->intervals[0].broker_cpu);
  EXPECT_EQ(read->intervals[1].latency->dense().max(), 77'777U);
}

TEST(ResultReader, ReadsShardAndClock) {
  const auto read =
      parse_result(replaced(as_json(plain_result()), R"("workers":1)",
                            R"("shard":{"index":1,"count":3},"clock":{"offset_ns":-5,"error_ns":7})"),
                   "a.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->shard->index, 1U);
  EXPECT_EQ(read->shard->count, 3U);
  EXPECT_EQ(read->clock->offset_ns, -5);
  EXPECT_EQ(read->clock->error_ns, 7U);
}

TEST(ResultReader, LeavesUnknownKeysAlone) {
  const auto text = replaced(as_json(full_result()), "{", R"({"new":[{"deep":[1,2,{"x":null}]}],)");
  EXPECT_TRUE(parse_result(text, "a.json"));
}

TEST(ResultReader, NullIsNotKnown) {
  const auto read =
      parse_result(replaced(as_json(full_result()), R"("tool_cpu":0.5)", R"("tool_cpu":null)"), "a.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_FALSE(read->intervals[1].tool_cpu);
}

TEST(ResultReader, WhatIsNoResultIsSaid) {
  EXPECT_EQ(fault_of(""), "a.json: this is not JSON");
  EXPECT_EQ(fault_of("{\"format\":\"mqbench/1\""), "a.json: this is not JSON");
  EXPECT_EQ(fault_of("\xff"), "a.json: this is not JSON");
  for (const char* other : {"[]", "7", "null", "{}", R"({"format":1})"})
    EXPECT_EQ(fault_of(other), "a.json: this is no result of mqbench") << other;
  EXPECT_EQ(fault_of(R"({"format":"mqbench-search/1"})"),
            "a.json: this is of format 'mqbench-search/1', not mqbench/1");
}

TEST(ResultReader, WhatIsMissingIsNamed) {
  const auto text = as_json(full_result());
  for (const std::string_view needed :
       {"run", "started", "ended", "interrupted", "verdict", "scenario", "broker", "machine", "tool",
        "counts", "times_ns", "rates", "latency_ns"})
    EXPECT_EQ(fault_of(replaced(text, fmt::format("\"{}\":", needed), "\"other\":")),
              fmt::format("a.json: {} is missing", needed));
  EXPECT_EQ(fault_of(replaced(text, R"("sent":1000)", R"("send":1000)")), "a.json: counts.sent is missing");
  EXPECT_EQ(fault_of(replaced(text, R"("cpu_s":0.5)", R"("cpu":0.5)")), "a.json: tool.cpu_s is missing");
  EXPECT_EQ(fault_of(replaced(text, R"("t_s":3)", R"("t":3)")), "a.json: intervals[1].t_s is missing");
}

TEST(ResultReader, WhatIsOfTheWrongKindIsNamed) {
  const auto text = as_json(full_result());
  struct Row {
    std::string_view what;
    std::string_view with;
    std::string_view fault;
  };
  for (const auto& [what, with, fault] :
       {Row{R"("run":7)", R"("run":-7)", "run is not a whole number"},
        Row{R"("run":7)", R"("run":7.5)", "run is not a whole number"},
        Row{R"("sent":1000)", R"("sent":"many")", "counts.sent is not a whole number"},
        Row{R"("sent":1000)", R"("sent":9223372036854775807)",
            "counts.sent is not a whole number from 0 to 281474976710656"},
        Row{R"("last_sent":1000001000)", R"("last_sent":18446744073709551615)", "times_ns.last_sent is not"},
        Row{R"("sent_per_second":1000)", R"("sent_per_second":-1)",
            "rates.sent_per_second is not a number from 0 on"},
        Row{R"("interrupted":true)", R"("interrupted":1)", "interrupted is neither true nor false"},
        Row{R"("verdict":"tool-bound")", R"("verdict":{})", "verdict is not a string"},
        Row{R"("scenario":{)", R"("scenario":[],"x":{)", "scenario is not an object"},
        Row{R"("latency_ns":{)", R"("latency_ns":[],"x":{)", "latency_ns is not an object"},
        Row{R"("intervals":[)", R"("intervals":{},"x":[)", "intervals is not an array"},
        Row{R"("t_s":3)", R"("t_s":1)", "intervals[1] does not come after the one before it"},
        Row{R"("from_s":1)", R"("from_s":3)", "outages[0] ends before it begins"},
        Row{R"("part":2)", R"("part":3)", "outages[0] is of a part that is not there"},
        Row{R"("over":true)", R"("over":1)", "outages[0].over is neither true nor false"},
        Row{"2026-11-21T", "2026-13-21T", "started is no time"},
        Row{R"("count":3,)", R"("count":4,)", "latency_ns.ack has other figures than its histogram"},
        Row{R"("max":4000000000000)", R"("max":4000)", "latency_ns.ack has other figures than its histogram"},
        Row{R"("hdr":"HISTF)", R"("hdr":"HISTG)", "latency_ns.ack.hdr is no histogram: "}})
    EXPECT_THAT(fault_of(replaced(text, what, with)), HasSubstr(std::string{"a.json: "}.append(fault)))
        << with;
}

TEST(ResultReader, ShardsAreCountedFromOne) {
  for (const std::string_view wrong :
       {R"("shard":{"index":0,"count":3})", R"("shard":{"index":4,"count":3})"})
    EXPECT_EQ(fault_of(replaced(as_json(plain_result()), R"("workers":1)", wrong)),
              "a.json: shard has an index that is not from 1 to its count");
}

TEST(ResultReader, DeepNestingIsAFaultAndNoCrash) {
  const std::string brackets(200'000, '[');
  EXPECT_EQ(fault_of(brackets), "a.json: this is nested deeper than 16 levels");
  EXPECT_EQ(fault_of(replaced(as_json(plain_result()), R"("rate":1000)", R"("rate":)" + brackets)),
            "a.json: this is nested deeper than 16 levels");
}

TEST(ResultReader, CutAnywhereIsAFault) {
  const auto text = as_json(full_result());
  for (std::size_t n = 0; n + 2 < text.size(); n += 7) EXPECT_NE(fault_of(text.substr(0, n)), "none") << n;
}

TEST(ResultReader, AFileThatCannotBeReadIs14) {
  const auto missing = read_result("/nonexistent/result.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, mq::ExitCode::local_io);
  EXPECT_EQ(missing.error().sentence, "/nonexistent/result.json: No such file or directory");
  const auto other = read_result("/dev/null");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, mq::ExitCode::usage);
}

TEST(Rfc3339, IsReadAsItIsWritten) {
  for (const std::int64_t second : {0LL, 951'782'399LL, 1'795'245'607LL, 4'102'444'799LL}) {
    const mq::WallTime time{std::chrono::seconds{second} + std::chrono::microseconds{676'123}};
    mq::WallClockText clock;
    EXPECT_EQ(parse_rfc3339(clock.rfc3339(time)), time);
  }
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01Z"), mq::WallTime{std::chrono::seconds{1}});
  for (const char* wrong :
       {"", "Z", "2026-11-21T07:20:07", "2026-11-21T07:20:07+00:00", "2026-02-30T07:20:07Z",
        "2026-11-21 07:20:07Z", "2026-11-21T24:20:07Z", "2026-11-21T07:60:07Z", "2026-11-21T07:20:07.Z",
        "2026-11-21T07:20:07.1234567890Z", "2026-11-21T07:20:07,5Z", "2300-11-21T07:20:07Z",
        "1969-11-21T07:20:07Z", "-026-11-21T07:20:07Z", "2026-11-21T07:20:-7Z", "2026-00-21T07:20:07Z"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

}  // namespace
