#include "common/diag.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>

namespace mq {
namespace {

using namespace std::chrono_literals;

WallTime fixed_clock() {
  return WallTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 7h + 20min + 7s + 676123us};
}

/// What is written into a pipe by `speak`; packets mode keeps write(2) calls apart.
struct Listener {
  std::array<int, 2> ends{};
  Listener() { EXPECT_EQ(::pipe2(ends.data(), O_DIRECT | O_NONBLOCK), 0); }
  ~Listener() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Diag diag(LogSettings settings = {.color = ColorMode::never}) {
    return Diag{"mqsub", settings, fixed_clock, ends[1]};
  }
  /// One write(2).
  std::string heard() {
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
    return count < 0 ? "silence" : std::string{buffer.data(), static_cast<std::size_t>(count)};
  }
};

TEST(Diag, ErrorAndHintAreOneWrite) {
  Listener listener;
  listener.diag().error(
      {"cannot connect to broker.lan:8883: certificate has expired (2026-03-01)", "renew it"});
  EXPECT_EQ(
      listener.heard(),
      "mqsub: cannot connect to broker.lan:8883: certificate has expired (2026-03-01)\nhint: renew it\n");
  EXPECT_EQ(listener.heard(), "silence");
}

TEST(Diag, SeverityDecidesWhatIsShown) {
  const auto shown = [](LogSettings settings) {
    settings.color = ColorMode::never;
    Listener listener;
    Diag diag = listener.diag(settings);
    std::string all;
    for (const Severity severity : {Severity::error, Severity::warning, Severity::info, Severity::debug}) {
      diag.say(severity, "x");
      if (listener.heard() != "silence") all += std::string{to_string(severity)} + " ";
    }
    return all;
  };
  EXPECT_EQ(shown({}), "error warning info ");
  EXPECT_EQ(shown({.quiet = true}), "error ");
  EXPECT_EQ(shown({.debug = true}), "error warning info debug ");
}

TEST(Diag, WarningIsMarked) {
  Listener listener;
  listener.diag().warning("low disk");
  EXPECT_EQ(listener.heard(), "mqsub: warning: low disk\n");
}

TEST(Diag, PeersWordsCannotCommandATerminalOrFakeALine) {
  Listener listener;
  listener.diag().error({"refused: bad\nmqsub: fake\x1b[2J\xff", "a\rb"});
  EXPECT_EQ(listener.heard(), "mqsub: refused: bad\\nmqsub: fake\\e[2J\\xff\nhint: a\\rb\n");
}

TEST(Diag, WhatWasEscapedBeforeIsNotEscapedTwice) {
  Listener listener;
  listener.diag().error("unknown option '--\\e[2J'");
  EXPECT_EQ(listener.heard(), "mqsub: unknown option '--\\e[2J'\n");
}

TEST(Diag, JsonLineIsAnObject) {
  Listener listener;
  listener.diag({.format = LogFormat::json}).error({"bad \"word\"\n\x1b", "try"});
  EXPECT_EQ(
      listener.heard(),
      R"({"time":"2026-11-21T07:20:07.676123Z","level":"error","msg":"bad \"word\"\n\u001b","hint":"try"})"
      "\n");
}

TEST(Diag, JsonLineIsValidForAnyBytes) {
  Listener listener;
  listener.diag({.format = LogFormat::json}).error("file '\xff' is bad");
  const auto line = nlohmann::json::parse(listener.heard());
  EXPECT_EQ(line["msg"], "file '\\xff' is bad");
}

TEST(Diag, EventHasItsFieldsInJsonAndItsSentenceInText) {
  const auto fields = [](JsonWriter& json) { json.field("host", "b"), json.field("session_present", true); };
  Listener listener;
  listener.diag({.format = LogFormat::json}).event(Severity::info, "connected", "connected to b", fields);
  EXPECT_EQ(
      listener.heard(),
      R"({"time":"2026-11-21T07:20:07.676123Z","level":"info","event":"connected","msg":"connected to b","host":"b","session_present":true})"
      "\n");
  listener.diag().event(Severity::info, "connected", "connected to b", fields);
  EXPECT_EQ(listener.heard(), "mqsub: connected to b\n");
}

TEST(Diag, EventAmongTheDataIsOneLine) {
  std::string out;
  WallClockText clock;
  append_event(out, clock, fixed_clock(), "summary", [](JsonWriter& json) { json.field("sent", 2); });
  EXPECT_EQ(out, R"({"time":"2026-11-21T07:20:07.676123Z","event":"summary","sent":2})"
                 "\n");
}

TEST(Diag, ColorsOnlyWhereAsked) {
  Listener listener;
  listener.diag({.color = ColorMode::always}).error("x");
  EXPECT_EQ(listener.heard(), "\x1b[1;31mmqsub:\x1b[0m x\n");
  EXPECT_FALSE(use_color(ColorMode::automatic, listener.ends[1]));  // a pipe is no terminal
  EXPECT_TRUE(use_color(ColorMode::always, listener.ends[1]));
}

TEST(Diag, ClosedStderrDoesNoHarm) {
  ::signal(SIGPIPE, SIG_IGN);
  Listener listener;
  ::close(listener.ends[0]);
  listener.diag().error("nobody listens");
  Diag{"mqsub", {}, fixed_clock, -1}.error("no descriptor");
  ::signal(SIGPIPE, SIG_DFL);
  listener.ends[0] = ::open("/dev/null", O_RDONLY);
}

}  // namespace
}  // namespace mq
