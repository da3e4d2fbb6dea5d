#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/file_options.hpp"
#include "common/options.hpp"
#include "support/temp_directory.hpp"
#include "unit/tools/reading.hpp"

namespace mq {
namespace {

using test::read;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Options with a configuration directory of their own.
struct Configured : testing::Test {
  const mqtt::test::TempDirectory directory;
  Options o{{.name = "mqpub", .summary = "s", .usage = "u", .options_files = {"mqpub", "mosquitto_pub"}}};
  FileOptions files;
  std::optional<std::string> host, password;
  std::uint16_t port = 1883;
  std::vector<std::string> topics;
  std::vector<std::array<std::string, 3>> properties;
  bool debug = false, lines = false, message = false;

  Configured() {
    ::setenv("XDG_CONFIG_HOME", directory.path().c_str(), 1);
    o.text("-h,--host", host).env("MQ_TEST_HOST");
    o.number("-p,--port", port, {.min = 1});
    o.list("-t,--topic", topics);
    o.text("-P,--pw", password).secret();
    o.tuple("-D,--property", properties).metavar("PACKET NAME VALUE");
    o.flag("-d,--debug", debug);
    o.flag("-l", lines);
    o.flag("-m", message).excludes({"-l"});
    declare_file_options(o, files);
  }
  ~Configured() override { ::unsetenv("XDG_CONFIG_HOME"); }

  std::string write(const std::string& name, std::string_view text) const {
    return directory.write(name, text);
  }
  std::string with(std::vector<std::string> arguments = {}, test::Variables variables = {}) {
    variables["XDG_CONFIG_HOME"] = directory.path();
    return read(o, arguments, variables);
  }
};

TEST_F(Configured, TheRestOfALineIsTheValue) {
  write("mqpub", "# a comment\n\n-h broker.lan\n--port=1884\n-P two words = one\n-t a\n-t b\r\n-d\n");
  EXPECT_EQ(with(), "");
  EXPECT_EQ(host, "broker.lan");
  EXPECT_EQ(port, 1884);
  EXPECT_EQ(password, "two words = one");
  EXPECT_THAT(topics, ElementsAre("a", "b"));
  EXPECT_TRUE(debug);
}

TEST_F(Configured, OnlyTheLastOfSeveralValuesHoldsSpaces) {
  write("mqpub", "-D publish user-property a b c");
  EXPECT_EQ(with(), "");
  EXPECT_THAT(properties, ElementsAre(std::array<std::string, 3>{"publish", "user-property", "a b c"}));
}

TEST_F(Configured, WhatIsTypedBeatsTheFileAndWhatItExcludes) {
  write("mqpub", "-h file\n-l\n-t file\n");
  EXPECT_EQ(with({"-h", "typed", "-m", "-t", "typed"}), "");
  EXPECT_EQ(host, "typed");
  EXPECT_FALSE(lines);
  EXPECT_THAT(topics, ElementsAre("typed"));
}

TEST_F(Configured, EnvironmentBeatsProfileBeatsOptionsFile) {
  write("mqpub", "-h options\n-p 1\n-t options\n");
  write("mq/work.toml", "host = \"profile\"\nport = 2\n");
  EXPECT_EQ(with({"--profile", "work"}, {{"MQ_TEST_HOST", "environment"}}), "");
  EXPECT_EQ(host, "environment");
  EXPECT_EQ(port, 2);
  EXPECT_THAT(topics, ElementsAre("options"));
}

TEST_F(Configured, MosquittosFileIsReadIfThereIsNoOwn) {
  write("mosquitto_pub", "-h theirs\n");
  EXPECT_EQ(with(), "");
  EXPECT_EQ(host, "theirs");
  write("mqpub", "-h ours\n");
  EXPECT_EQ(with(), "");
  EXPECT_EQ(host, "ours");
}

TEST_F(Configured, WithoutXdgConfigHomeItIsDotConfig) {
  write(".config/mqpub", "-h home\n");
  EXPECT_EQ(read(o, {}, {{"HOME", directory.path()}}), "");
  EXPECT_EQ(host, "home");
}

TEST_F(Configured, ANamedFileIsReadInsteadAndMustBeThere) {
  write("mqpub", "-p 7\n");
  EXPECT_EQ(with({"-o", write("mine", "-h mine\n")}), "");
  EXPECT_EQ(host, "mine");
  EXPECT_EQ(port, 1883);
  EXPECT_EQ(with({"-o", "/nowhere/x"}), "mqpub: /nowhere/x: cannot be read: No such file or directory\n");
}

TEST_F(Configured, WrongLinesAreSaidWithTheirPlace) {
  const auto fault = [this](std::string_view line) {
    const std::string path = write("f", "# one\n" + std::string{line} + "\n");
    std::string said = with({"-o", path});
    EXPECT_THAT(said, StartsWith("mqpub: " + path + ":2: ")) << line;
    return said.substr(std::min(said.size(), path.size() + 11));
  };
  EXPECT_EQ(fault("--nope 1"), "'--nope' is not an option\n");
  EXPECT_EQ(fault("host x"), "'host' is not an option\n");
  EXPECT_EQ(fault("-h"), "'-h' needs a value\n");
  EXPECT_EQ(fault("-d yes"), "'-d' takes no value\n");
  EXPECT_EQ(fault("-p 1x"), "'-p': '1x' is not a number from 1 to 65535\n");
  EXPECT_EQ(fault("-D publish x"), "'-D' needs 3 values: PACKET NAME VALUE\n");
  EXPECT_EQ(fault("--help"), "'--help' is for the command line only\n");
  EXPECT_EQ(fault(std::string_view{"-h a\0b", 6}), "the line holds a NUL\n");
}

TEST_F(Configured, TheTableOfTheProgramBeatsTheTopLevelAndOthersAreLeftAlone) {
  const std::string path =
      write("c.toml", "host = \"all\"\nport = 1\n[mqpub]\nport = 2\n[mqsub]\nverbose = true\n");
  EXPECT_EQ(with({"--config", path}), "");
  EXPECT_EQ(host, "all");
  EXPECT_EQ(port, 2);
}

TEST_F(Configured, OptionsWithALetterOnlyAreKeysToo) {
  EXPECT_EQ(with({"--config", write("c.toml", "l = true\n")}), "");
  EXPECT_TRUE(lines);
}

TEST_F(Configured, PropertiesInATomlFileAreTexts) {
  EXPECT_EQ(with({"--config", write("c.toml", "property = [\"publish a b c\", \"connect d e\"]\n")}), "");
  EXPECT_THAT(properties, ElementsAre(std::array<std::string, 3>{"publish", "a", "b c"},
                                      std::array<std::string, 3>{"connect", "d", "e"}));
}

TEST_F(Configured, WrongProfilesAreSaid) {
  EXPECT_THAT(with({"--profile", "none"}),
              HasSubstr("mq/none.toml: cannot be read: No such file or directory"));
  EXPECT_THAT(with({"--profile", "../x"}), HasSubstr("option '--profile': '../x' cannot be found"));
  EXPECT_THAT(with({"--profile", ""}), HasSubstr("option '--profile': '' cannot be found"));
  EXPECT_THAT(with({"--config", write("c.toml", "[mqpup]\n")}),
              HasSubstr("c.toml:1: 'mqpup' is not a program"));
  EXPECT_THAT(with({"--config", write("d.toml", "[[mqpub]]\n")}), HasSubstr("d.toml:1: no list of tables"));
  EXPECT_THAT(with({"--config", write("e.toml", "hots = \"x\"\n")}),
              HasSubstr("unknown key 'hots'; did you mean 'host'?"));
  write("mq/y.toml", "port = 1\n");
  EXPECT_THAT(with({"--config", write("f.toml", "port = 1\n"), "--profile", "y"}), HasSubstr("--config"));
}

TEST_F(Configured, WhatIsInEffectIsShownWithItsSourceAndSecretsMasked) {
  write("mqpub", "-t a b\n-t \"c\"\n");
  write("mq/work.toml", "port = 2\nproperty = \"publish a b c\"\n");
  EXPECT_EQ(with({"--show-config", "--profile", "work", "-P", "hidden", "-d"}, {{"MQ_TEST_HOST", "e"}}),
            "host = \"e\"  # environment variable 'MQ_TEST_HOST'\n"
            "port = 2  # " +
                directory.file("mq/work.toml") +
                ":1: 'port'\n"
                "topic = [\"a b\", \"\\\"c\\\"\"]  # " +
                directory.file("mqpub") +
                ":2: '-t'\n"
                "pw = \"***\"  # option '-P'\n"
                "property = [\"publish a b c\"]  # " +
                directory.file("mq/work.toml") +
                ":2: 'property'\n"
                "debug = true  # option '-d'\n");
}

TEST_F(Configured, WhatIsShownCanBeReadAgain) {
  const std::string shown = with({"--show-config", "-h", "a\"\x7f\n", "-p", "5", "-t", "x", "-l"});
  Options again{test::program()};
  again.text("-h,--host", host);
  again.number("-p,--port", port);
  again.list("-t,--topic", topics);
  again.flag("-l", lines);
  declare_file_options(again, files);
  EXPECT_EQ(read(again, {"--config", write("again.toml", shown)}), "");
  EXPECT_EQ(host, "a\"\x7f\n");
  EXPECT_EQ(port, 5);
  EXPECT_THAT(topics, ElementsAre("x", "x"));  // the first reading kept one, too
  EXPECT_TRUE(lines);
}

TEST_F(Configured, AMistakeComesBeforeWhatIsInEffect) {
  EXPECT_EQ(with({"--show-config", "-p", "0"}), "mqpub: option '-p': '0' is not a number from 1 to 65535\n");
}

}  // namespace
}  // namespace mq
