#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "common/connect_options.hpp"
#include "unit/tools/reading.hpp"

namespace mq {
namespace {

struct Helped : testing::Test {
  Options o{{.name = "mqpub",
             .summary = "Publish messages to a broker.",
             .usage = "[OPTIONS] -t TOPIC (-m TEXT | -l)"}};
  std::vector<std::string> topics;
  std::uint8_t qos = 0;
  std::string color = "auto", json, host;
  bool hidden = false;
  mqtt::Duration wait = std::chrono::seconds{10};

  Helped() {
    o.list("-t,--topic", topics).metavar("TOPIC").group("Message").text("the topic to publish to");
    o.choice("-q,--qos", qos, {{"0", 0}, {"1", 1}, {"2", 2}}).group("Message").text("quality of service");
    o.duration("--connect-timeout", wait)
        .group("Connection")
        .text("give up when the broker has not accepted the connection after this time");
    o.text("-L,--url", host).metavar("URL").group("Connection").env("MQTT_URL").text("the address");
    o.choice("--color", color, {{"auto", "auto"}, {"always", "always"}, {"never", "never"}})
        .metavar("WHEN")
        .text("colours");
    o.choice("--json", json, {{"text", "text"}, {"parse", "parse"}}).implied("text").text("JSON lines");
    o.flag("--secret-switch", hidden).hidden();
    o.example("mqpub -t a/b -m hello", "publish one message");
  }
};

TEST_F(Helped, IsGroupedAlignedAndWrapped) {
  EXPECT_EQ(o.help(80), R"(Usage: mqpub [OPTIONS] -t TOPIC (-m TEXT | -l)

Publish messages to a broker.

Message:
  -t, --topic TOPIC           the topic to publish to
  -q, --qos 0|1|2             quality of service (default: 0)

Connection:
      --connect-timeout DURATION
                              give up when the broker has not accepted the
                              connection after this time (default: 10s)
  -L, --url URL               the address (environment: MQTT_URL)

Options:
      --color WHEN            colours (one of auto, always, never; default:
                              auto)
      --json[=text|parse]     JSON lines

Help:
      --help                  show this help and exit
      --version               show the version and exit

Examples:
  publish one message
    mqpub -t a/b -m hello
)");
}

struct HelpedByCommand : testing::Test {
  Options o{{.name = "mqx",
             .summary = "Does several things.",
             .usage = "",
             .own_commands = {{"read", "FILE [OPTIONS]", "Reads."}, {"end", "[OPTIONS]", "Ends."}},
             .commands = {"merge", "compare"}}};
  std::string command;
  std::vector<std::string> files;
  bool all = false, fast = false, late = false, deep = false;

  HelpedByCommand() {
    o.text("COMMAND", command).default_text("").text("what to do");
    o.list("FILE", files).text("what to read");
    o.flag("-a,--all", all).group("Common").text("everything");
    o.flag("--fast", fast).group("Reading").text("read: without a look");
    o.flag("--deep", deep).group("Reading").text("with a look");
    o.flag("--late", late).group("Ending").text("end: not now");
    o.group_taken_by("Reading", {"read"});
    o.taken_by("--late", {"end"});
    o.example("mqx read x", "read a file");
    o.example("mqx ready", "no command");
  }
};

constexpr std::string_view help_of_end = R"(Usage: mqx end [OPTIONS]

Ends.

Common:
  -a, --all                   everything

Ending:
      --late                  not now

Help:
      --help                  show this help and exit
      --version               show the version and exit
)";

TEST_F(HelpedByCommand, ACommandHasItsUsageOptionsArgumentsAndExamples) {
  EXPECT_EQ(o.help(80, "end"), help_of_end);
  EXPECT_EQ(o.help(80, "read"), R"(Usage: mqx read FILE [OPTIONS]

Reads.

Arguments:
  FILE                        what to read

Common:
  -a, --all                   everything

Reading:
      --fast                  without a look
      --deep                  with a look

Help:
      --help                  show this help and exit
      --version               show the version and exit

Examples:
  read a file
    mqx read x
)");
}

TEST_F(HelpedByCommand, TheWholeHasALineForEachCommandAndNamesTheirHelp) {
  EXPECT_THAT(o.help(80), testing::StartsWith("Usage: mqx read FILE [OPTIONS]\n"
                                              "       mqx end [OPTIONS]\n"
                                              "       mqx merge|compare ...\n\n"
                                              "Does several things.\n"));
  EXPECT_THAT(o.help(80), testing::HasSubstr("      --fast                  read: without a look\n"));
  EXPECT_THAT(o.help(80), testing::EndsWith("\nThe help of one command: mqx COMMAND --help\n"));
}

TEST_F(HelpedByCommand, TheCommandStandsBeforeOrAfter) {
  EXPECT_EQ(test::read(o, {"end", "--help"}), help_of_end);
  EXPECT_EQ(test::read(o, {"--help", "-a", "end", "x"}), help_of_end);
  EXPECT_EQ(test::read(o, {"--help"}), o.help(80));
  EXPECT_EQ(test::read(o, {"--help", "nothing", "end"}), o.help(80));
}

TEST_F(Helped, DoesNotSuggestWhatIsHidden) {
  EXPECT_EQ(test::read(o, {"--secret-swich"}), "mqpub: unknown option '--secret-swich'\n");
}

TEST(Help, OfAllConnectionOptionsFitsTheWidth) {
  Options o{test::program()};
  ConnectionConfig config;
  declare_connect_options(o, config, {mqtt::PropertyPlace::connect});
  declare_log_options(o, config.log);
  for (const std::size_t columns : {70u, 80u, 100u}) {
    std::istringstream lines{o.help(columns)};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), columns) << line;
  }
}

TEST(Help, EveryRelationNamesAnOption) {
  Options o{test::program()};
  ConnectionConfig config;
  declare_connect_options(o, config, {mqtt::PropertyPlace::connect});
  declare_log_options(o, config.log);
  std::vector<std::string> names;
  for (const Option& option : o.all())
    for (const std::string& name : option.record().names) names.push_back(name);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << "a name stands twice";
  for (const Option& option : o.all())
    for (const auto* others : {&option.record().excludes, &option.record().needs})
      for (const std::string& other : *others) EXPECT_THAT(names, testing::Contains(other));
}

TEST(Help, EveryShownOptionSaysWhatItDoes) {
  Options o{test::program()};
  ConnectionConfig config;
  declare_connect_options(o, config, {mqtt::PropertyPlace::connect});
  declare_log_options(o, config.log);
  for (const Option& option : o.all()) {
    EXPECT_NE(option.record().text, "") << option.record().main_name();
    EXPECT_NE(option.record().group, "") << option.record().main_name();
  }
}

}  // namespace
}  // namespace mq
