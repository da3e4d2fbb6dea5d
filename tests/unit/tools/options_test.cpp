#include "common/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "unit/tools/reading.hpp"

namespace mq {
namespace {

using test::read;
using namespace std::chrono_literals;

enum class Color { red, green };

TEST(Options, KeepsInitialValuesWhenNothingIsGiven) {
  Options o{test::program()};
  std::uint16_t port = 1883;
  std::optional<std::uint16_t> other;
  o.number("-p,--port", port);
  o.number("--other", other);
  EXPECT_EQ(read(o, {}), "");
  EXPECT_EQ(port, 1883);
  EXPECT_EQ(other, std::nullopt);
  EXPECT_FALSE(o.given("--port"));
}

TEST(Options, NumberIsHeldToItsRangeAndItsType) {
  Options o{test::program()};
  std::uint16_t port = 0;
  int small = 0;
  std::uint64_t count = 0;
  o.number("-p,--port", port, {.min = 1});
  o.number("--small", small);
  o.number("-C", count, {.min = 1});
  EXPECT_EQ(read(o, {"-p", "1x"}), "mqpub: option '-p': '1x' is not a number from 1 to 65535\n");
  EXPECT_EQ(read(o, {"-p", "0"}), "mqpub: option '-p': '0' is not a number from 1 to 65535\n");
  EXPECT_EQ(read(o, {"-p", "65536"}), "mqpub: option '-p': '65536' is not a number from 1 to 65535\n");
  EXPECT_EQ(read(o, {"--small", "2147483648"}),
            "mqpub: option '--small': '2147483648' is not a number from 0 to 2147483647\n");
  EXPECT_EQ(read(o, {"-C", "0"}), "mqpub: option '-C': '0' is not a number from 1 up\n");
  EXPECT_EQ(read(o, {"-p", "65535", "-C", "18446744073709551615"}), "");
  EXPECT_EQ(port, 65535);
  EXPECT_EQ(count, 18446744073709551615u);
}

TEST(Options, DurationTakesUnitsAndABareNumberIsSeconds) {
  Options o{test::program()};
  mqtt::Duration wait = 1s;
  std::optional<mqtt::Duration> delay;
  o.duration("-W", wait);
  o.duration("--delay", delay);
  EXPECT_EQ(read(o, {"-W", "500ms", "--delay", "2"}), "");
  EXPECT_EQ(wait, 500ms);
  EXPECT_EQ(delay, 2s);
  EXPECT_EQ(read(o, {"-W", "1y"}), "mqpub: option '-W': '1y' is not a duration such as 500ms, 2s or 1m\n");
}

TEST(Options, SizeTakesUnits) {
  Options o{test::program()};
  std::uint64_t size = 0;
  o.size("--size", size);
  EXPECT_EQ(read(o, {"--size", "64K"}), "");
  EXPECT_EQ(size, 65536u);
  EXPECT_EQ(read(o, {"--size", "x"}),
            "mqpub: option '--size': 'x' is not a size such as 4096, 64K or 1.5MiB\n");
}

TEST(Options, ChoiceHasAliasesButShowsTheFirstSpelling) {
  Options o{test::program()};
  std::optional<Color> color;
  o.choice("-c,--color", color, {{"red", Color::red}, {"green", Color::green}, {"rouge", Color::red}});
  EXPECT_EQ(read(o, {"-c", "rouge"}), "");
  EXPECT_EQ(color, Color::red);
  EXPECT_EQ(read(o, {"-c", "blue"}), "mqpub: option '-c': 'blue' is not one of red, green\n");
  EXPECT_THAT(o.find("-c").record().choices, testing::ElementsAre("red", "green"));
}

TEST(Options, ParsedTupleAsksHowManyValuesItWants) {
  Options o{test::program()};
  std::vector<std::string> seen;
  o.parsed_tuple(
      "-D",
      [](Option::Values values) {
        return !values.empty() && values[0] == "two" ? std::size_t{3} : std::size_t{2};
      },
      [&seen](Option::Values values) -> ValueResult {
        seen.assign(values.begin(), values.end());
        if (values[1] == "bad") return std::unexpected(std::string{"that is bad"});
        return {};
      });
  EXPECT_EQ(read(o, {"-D", "two", "a", "b"}), "");
  EXPECT_THAT(seen, testing::ElementsAre("two", "a", "b"));
  EXPECT_EQ(read(o, {"-D", "one", "a"}), "");
  EXPECT_EQ(read(o, {"-D", "one", "bad"}), "mqpub: option '-D': that is bad\n");
}

TEST(Options, IgnoredFlagIsTaken) {
  Options o{test::program()};
  o.ignored_flag("--nodelay").hidden();
  EXPECT_EQ(read(o, {"--nodelay"}), "");
}

struct Sourced : testing::Test {
  Options o{test::program()};
  std::optional<std::string> url, host;
  std::string version = "5";

  Sourced() {
    o.text("-L,--url", url).env("MQTT_URL").excludes({"--host"});
    o.text("-h,--host", host).env("MQTT_HOST");
    o.choice("-V,--version-of-protocol", version, {{"5", "5"}, {"311", "311"}}).env("MQTT_VERSION");
  }
};

TEST_F(Sourced, EnvironmentIsReadIfNothingIsTyped) {
  EXPECT_EQ(read(o, {}, {{"MQTT_URL", "mqtt://a"}, {"MQTT_VERSION", "311"}}), "");
  EXPECT_EQ(url, "mqtt://a");
  EXPECT_EQ(o.find("-L").source(), Source::environment);
  EXPECT_EQ(o.find("-V").source(), Source::environment);
  EXPECT_EQ(o.find("-h").source(), Source::default_value);
}

TEST_F(Sourced, TypedBeatsEnvironment) {
  EXPECT_EQ(read(o, {"-L", "mqtt://b"}, {{"MQTT_URL", "mqtt://a"}}), "");
  EXPECT_EQ(url, "mqtt://b");
  EXPECT_EQ(o.find("-L").source(), Source::command_line);
}

TEST_F(Sourced, TypedBeatsAVariableThatItExcludesFromEitherSide) {
  EXPECT_EQ(read(o, {"-h", "b"}, {{"MQTT_URL", "mqtt://a"}}), "");
  EXPECT_EQ(url, std::nullopt);
  Options second{test::program()};
  second.text("-L,--url", url).excludes({"--host"});
  second.text("-h,--host", host).env("MQTT_HOST");
  host.reset();
  EXPECT_EQ(read(second, {"-L", "mqtt://b"}, {{"MQTT_HOST", "a"}}), "");
  EXPECT_EQ(host, std::nullopt);
}

TEST_F(Sourced, VariablesThatExcludeEachOtherAreNamed) {
  const std::string said = read(o, {}, {{"MQTT_URL", "mqtt://a"}, {"MQTT_HOST", "b"}});
  EXPECT_EQ(said,
            "mqpub: environment variable 'MQTT_URL' cannot be used together with environment variable "
            "'MQTT_HOST'\n");
}

TEST_F(Sourced, BadVariableIsNamed) {
  EXPECT_EQ(read(o, {}, {{"MQTT_VERSION", "6"}}),
            "mqpub: environment variable 'MQTT_VERSION': '6' is not one of 5, 311\n");
}

TEST_F(Sourced, EmptyVariableIsNone) {
  EXPECT_EQ(read(o, {}, {{"MQTT_URL", ""}}), "");
  EXPECT_FALSE(o.given("-L"));
}

TEST(Options, ExcludesIsSaidAsItWasTyped) {
  Options o{test::program()};
  bool a = false, b = false;
  o.flag("-a,--all", a);
  o.flag("-b,--but", b).excludes({"--all"});
  EXPECT_EQ(read(o, {"-a", "--but"}), "mqpub: option '-a' cannot be used together with option '--but'\n");
  EXPECT_EQ(read(o, {"-a"}), "");
  EXPECT_EQ(read(o, {"--but"}), "");
}

TEST(Options, NeedsIsSaid) {
  Options o{test::program()};
  std::string cert, key;
  o.text("--cert", cert).needs({"--key"});
  o.text("--key", key);
  EXPECT_EQ(read(o, {"--cert", "c"}), "mqpub: option '--cert' needs option '--key'\n");
  EXPECT_EQ(read(o, {"--cert", "c", "--key", "k"}), "");
  EXPECT_EQ(read(o, {"--key", "{}"}), "");
}

TEST(Options, WhatACommandDoesNotTakeIsNamed) {
  Options o{test::program()};
  bool a = false, b = false, c = false, all = false;
  o.flag("-a,--alpha", a).group("Letters");
  o.flag("-b,--beta", b).group("Letters");
  o.flag("-c,--gamma", c).group("Letters");
  o.flag("--all", all);
  o.group_taken_by("Letters", {"read", "write", "list"});
  o.taken_by("--beta", {"read", "write"});
  o.taken_by("--gamma", {"read"});
  EXPECT_EQ(read(o, {"-a", "-b", "--all"}), "");
  EXPECT_EQ(o.not_taken_by("write"), std::nullopt);
  EXPECT_EQ(o.not_taken_by("list"), "option '--beta' is for mqpub read and write, not for list");
  EXPECT_EQ(o.not_taken_by("end"), "option '--alpha' is for mqpub read, write and list, not for end");
  EXPECT_EQ(read(o, {"-c"}), "");
  EXPECT_EQ(o.not_taken_by("write"), "option '--gamma' is for mqpub read, not for write");
}

TEST(Options, RulesRunInOrderAfterAllValues) {
  Options o{test::program()};
  std::uint16_t a = 0, b = 0;
  o.number("-a", a);
  o.number("-b", b);
  o.rule([&]() -> std::optional<std::string> {
    return a > b ? std::optional<std::string>{"a is above b"} : std::nullopt;
  });
  o.rule([&]() -> std::optional<std::string> {
    return b > 9 ? std::optional<std::string>{"b is above 9"} : std::nullopt;
  });
  EXPECT_EQ(read(o, {"-a", "11", "-b", "10"}), "mqpub: a is above b\n");
  EXPECT_EQ(read(o, {"-a", "1", "-b", "10"}), "mqpub: b is above 9\n");
  EXPECT_EQ(read(o, {"-a", "1", "-b", "2"}), "");
}

TEST(Options, HelpAndVersionAreOnStdoutAndEndWell) {
  Options o{test::program()};
  const auto none = [](const char*) -> const char* { return nullptr; };
  const auto help = o.read({"--help"}, none);
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, ExitCode::ok);
  EXPECT_THAT(help.error().to_stdout, testing::StartsWith("Usage: mqpub"));
  EXPECT_EQ(help.error().to_stderr, "");
  const auto version = o.read({"--version"}, none);
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, ExitCode::ok);
  EXPECT_EQ(version.error().to_stdout, "mqpub " MQ_EXPECTED_VERSION "\n");
}

TEST(Options, HelpIsGivenToWhoeverAsksBeforeAMistake) {
  Options o{test::program()};
  EXPECT_THAT(read(o, {"--help", "--bogus"}), testing::StartsWith("Usage: mqpub"));
}

TEST(Options, MistakeIsExitCode2OnStderr) {
  Options o{test::program()};
  const auto result = o.read({"--bogus"}, [](const char*) -> const char* { return nullptr; });
  ASSERT_FALSE(result);
  EXPECT_EQ(to_int(result.error().code), 2);
  EXPECT_EQ(result.error().to_stdout, "");
}

/// An argv that can be written to, as the kernel's is.
struct Argv {
  std::vector<std::string> texts;
  std::vector<char*> pointers;

  explicit Argv(std::vector<std::string> arguments) : texts{std::move(arguments)} {
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
  int count() const { return static_cast<int>(texts.size()); }
};

TEST(Options, SecretsAreOverwrittenInArgv) {
  Options o{test::program()};
  std::string password, pin, name;
  o.text("-P,--password", password).secret();
  o.text("--pin", pin).secret([](std::string_view) { return std::vector<Option::Part>{{0, 1}}; });
  o.text("-u", name);
  Argv argv{{"mqpub", "-u", "me", "-P", "s3cret", "-Pother", "--password=third", "--pin", "1234"}};
  ASSERT_TRUE(o.parse(argv.count(), argv.pointers.data()));
  EXPECT_EQ(password, "third");
  EXPECT_EQ(pin, "1234");
  EXPECT_THAT(argv.texts, testing::ElementsAre("mqpub", "-u", "me", "-P", "xxxxxx", "-Pxxxxx",
                                               "--password=xxxxx", "--pin", "x234"));
}

TEST(Options, SecretsAreOverwrittenAfterAMistakeToo) {
  Options o{test::program()};
  std::string password;
  o.text("-P", password).secret();
  Argv argv{{"mqpub", "-P", "s3cret", "--bogus"}};
  testing::internal::CaptureStderr();
  const auto result = o.parse(argv.count(), argv.pointers.data());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "mqpub: unknown option '--bogus'\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), ExitCode::usage);
  EXPECT_EQ(argv.texts[2], "xxxxxx");
}

TEST(Options, EmptyArgvIsNoArguments) {
  Options o{test::program()};
  char* none[] = {nullptr};
  EXPECT_TRUE(o.parse(0, none));
}

}  // namespace
}  // namespace mq
