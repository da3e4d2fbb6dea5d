#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/options.hpp"
#include "common/settings_file.hpp"
#include "unit/tools/reading.hpp"

namespace mq {
namespace {

using namespace std::chrono_literals;
using test::read;
using testing::ElementsAre;
using testing::StartsWith;

std::string fault(std::string_view text) {
  const auto file = parse_settings(text, "f");
  return file ? "" : file.error();
}

TEST(SettingsFile, KeepsTheOrderOfTheFileAndTheLines) {
  const auto file = parse_settings("zeta = 1\n\nalpha = \"x\"\n", "f");
  ASSERT_TRUE(file);
  ASSERT_EQ(file->settings.size(), 2u);
  EXPECT_EQ(file->settings[0].key, "zeta");
  EXPECT_EQ(file->settings[0].where, "f:1");
  EXPECT_EQ(file->settings[1].key, "alpha");
  EXPECT_EQ(file->settings[1].where, "f:3");
}

TEST(SettingsFile, ValuesAreWrittenAsOptionsTakeThem) {
  const auto file =
      parse_settings("a = true\nb = -16\nc = 1.5\nd = \"t\"\ne = [\"x\", \"y\"]\nf = 1979-05-27\n", "f");
  ASSERT_TRUE(file);
  const auto& s = file->settings;
  EXPECT_THAT(s[0].values, ElementsAre("true"));
  EXPECT_THAT(s[1].values, ElementsAre("-16"));
  EXPECT_THAT(s[2].values, ElementsAre("1.5"));
  EXPECT_THAT(s[3].values, ElementsAre("t"));
  EXPECT_THAT(s[4].values, ElementsAre("x", "y"));
  EXPECT_EQ(s[4].kind, SettingKind::list);
  EXPECT_EQ(s[5].kind, SettingKind::other);
}

TEST(SettingsFile, ArraysOfTablesKeepTheirOrder) {
  const auto file = parse_settings("[[b]]\nx = 1\n[[a]]\nx = 2\n[[b]]\n", "f");
  ASSERT_TRUE(file);
  ASSERT_EQ(file->tables.size(), 3u);
  EXPECT_EQ(file->tables[0].name, "b");
  EXPECT_EQ(file->tables[1].name, "a");
  EXPECT_EQ(file->tables[1].settings.at(0).where, "f:4");
  EXPECT_EQ(file->tables[2].where, "f:5");
}

TEST(SettingsFile, TablesAreSectionsInTheirOrderUnlessTheyAreValues) {
  const auto file = parse_settings("v = {x = 1}\n[b]\nx = 1\n[a]\ny = 2\n", "f");
  ASSERT_TRUE(file);
  ASSERT_EQ(file->settings.size(), 1u);
  EXPECT_EQ(file->settings[0].kind, SettingKind::table);
  ASSERT_EQ(file->sections.size(), 2u);
  EXPECT_EQ(file->sections[0].name, "b");
  EXPECT_EQ(file->sections[1].where, "f:4");
  EXPECT_EQ(file->sections[1].settings.at(0).key, "y");
}

TEST(SettingsFile, TablesOnOneLineKeepTheirOrder) {
  const auto file = parse_settings("t = [{z = 1}, {a = 2}]", "f");
  ASSERT_TRUE(file);
  ASSERT_EQ(file->tables.size(), 2u);
  EXPECT_EQ(file->tables[0].settings.at(0).key, "z");
  EXPECT_EQ(file->tables[1].settings.at(0).key, "a");
}

TEST(SettingsFile, WhatCannotBeReadIsSaidWithFileAndLine) {
  EXPECT_THAT(fault("a = 1\nb = \n"), StartsWith("f:2: "));
  EXPECT_THAT(fault("a = 1\na = 2\n"), StartsWith("f:2: "));
  EXPECT_THAT(fault("a = 1\n\nb = \"\xFF\"\n"), StartsWith("f:3: "));
  EXPECT_THAT(fault(std::string_view{"a = 1\n\0", 7}), StartsWith("f:2: "));
  EXPECT_EQ(fault("a = \"x\\u0000y\"\n"), "f:1: 'a' holds a NUL");
  EXPECT_EQ(fault(""), "f: the file is empty");
  EXPECT_EQ(fault(" \n\t\n"), "f: the file is empty");
  EXPECT_EQ(fault("# all of it is a comment\n"), "");
}

TEST(SettingsFile, NestingIsBounded) {
  EXPECT_THAT(fault("a = " + std::string(5'000, '[')), StartsWith("f:1: "));
}

TEST(SettingsFile, WhatATerminalWouldObeyIsEscaped) {
  const auto file = parse_settings("a = \x1b[2J\n", "f\x1b");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().find('\x1b'), std::string::npos) << file.error();
}

TEST(SettingsFile, FilesThatAreNoneAreSaid) {
  EXPECT_EQ(read_settings_file("/nowhere/f").error(),
            "/nowhere/f: cannot be read: No such file or directory");
  EXPECT_EQ(read_settings_file("/").error(), "/: cannot be read: Is a directory");
  EXPECT_EQ(read_settings_file("/dev/zero").error(),
            "/dev/zero: more than 1048576 bytes cannot be a configuration");
  EXPECT_EQ(read_settings_file("/dev/null").error(), "/dev/null: the file is empty");
}

struct WithFile : testing::Test {
  Options o{test::program()};
  std::string text;  // of the file
  std::optional<std::string> file, name;
  std::uint16_t port = 1;
  std::uint32_t size = 4096;
  mqtt::Duration wait = 1s;
  std::vector<std::string> list;
  std::string cert, key;
  bool flag = false, no_flag = false, once = false;
  int color = 0;

  WithFile() {
    o.settings_file("-c,--config", file, [this](const std::string&) { return top_level(text); });
    o.text("--name", name).env("NAME");
    o.number("-p,--port", port, {.min = 1});
    o.size("--size", size, {.min = 1024, .max = 1 << 20});
    o.duration("--wait", wait);
    o.list("--list", list);
    o.flag("--flag", flag);
    o.flag("--no-flag", no_flag).excludes({"--flag"});
    o.choice("--color", color, {{"red", 1}, {"green", 2}});
    o.text("--cert", cert).needs({"--key"});
    o.text("--key", key);
    o.flag("--once", once).typed_only();
  }

  static std::expected<std::vector<Setting>, std::string> top_level(std::string_view text) {
    auto parsed = parse_settings(text, "f");
    if (!parsed) return std::unexpected(parsed.error());
    return std::move(parsed->settings);
  }

  std::string with(std::string_view content, std::vector<std::string> arguments = {},
                   const test::Variables& variables = {}) {
    text = content;
    arguments.insert(arguments.begin(), {"-c", "f"});
    return read(o, arguments, variables);
  }
};

TEST_F(WithFile, EachKindOfOptionIsRead) {
  EXPECT_EQ(
      with("name = \"n\"\nport = 7\nsize = \"64KiB\"\nwait = \"2m\"\nlist = [\"a\", \"b\"]\nflag = true\n"
           "color = \"green\"\n"),
      "");
  EXPECT_EQ(name, "n");
  EXPECT_EQ(port, 7);
  EXPECT_EQ(size, 65536u);
  EXPECT_EQ(wait, 2min);
  EXPECT_THAT(list, ElementsAre("a", "b"));
  EXPECT_TRUE(flag);
  EXPECT_EQ(color, 2);
  EXPECT_EQ(o.find("--port").source(), Source::settings_file);
}

TEST_F(WithFile, PlainNumbersAreBytesAndSecondsAndALoneTextIsAList) {
  EXPECT_EQ(with("size = 2048\nwait = 1.5\nlist = \"a\"\nflag = false\n"), "");
  EXPECT_EQ(size, 2048u);
  EXPECT_EQ(wait, 1500ms);
  EXPECT_THAT(list, ElementsAre("a"));
  EXPECT_FALSE(flag);
}

TEST_F(WithFile, CommandLineBeatsEnvironmentBeatsFile) {
  EXPECT_EQ(with("name = \"file\"\nport = 7\nlist = [\"a\"]\n", {"--port", "8", "--list", "b"},
                 {{"NAME", "environment"}}),
            "");
  EXPECT_EQ(name, "environment");
  EXPECT_EQ(port, 8);
  EXPECT_THAT(list, ElementsAre("b"));
}

TEST_F(WithFile, TypedOptionsBeatWhatTheyExclude) {
  EXPECT_EQ(with("flag = true\n", {"--no-flag"}), "");
  EXPECT_FALSE(flag);
  EXPECT_TRUE(no_flag);
}

TEST_F(WithFile, FaultsAreSaidWithFileAndLine) {
  EXPECT_EQ(with("\nprot = 7\n"), "mqpub: f:2: unknown key 'prot'; did you mean 'port'?\n");
  EXPECT_EQ(with("port = \"7\"\n"), "mqpub: f:1: 'port' needs a whole number, not a text\n");
  EXPECT_EQ(with("port = {x = 7}\n"), "mqpub: f:1: 'port' needs a whole number, not a table\n");
  EXPECT_EQ(with("flag = 1\n"), "mqpub: f:1: 'flag' needs true or false, not a whole number\n");
  EXPECT_EQ(with("name = [\"a\"]\n"), "mqpub: f:1: 'name' needs a text, not a list of texts\n");
  EXPECT_EQ(with("list = [1]\n"), "mqpub: f:1: 'list' needs a text or a list of texts, not something else\n");
  EXPECT_EQ(with("size = true\n"),
            "mqpub: f:1: 'size' needs a text such as \"64KiB\", or a number of bytes, not true or false\n");
  EXPECT_EQ(with("port = 0\n"), "mqpub: f:1: 'port': '0' is not a number from 1 to 65535\n");
  EXPECT_EQ(with("port = -1\n"), "mqpub: f:1: 'port': '-1' is not a number from 1 to 65535\n");
  EXPECT_EQ(with("size = 1\n"), "mqpub: f:1: 'size': '1' is not a size from 1KiB to 1MiB\n");
  EXPECT_EQ(with("color = \"blue\"\n"), "mqpub: f:1: 'color': 'blue' is not one of red, green\n");
  EXPECT_EQ(with("\ncert = \"c\"\n"), "mqpub: f:2: 'cert' needs option '--key'\n");
  EXPECT_EQ(with("flag = true\nno-flag = true\n"),
            "mqpub: f:1: 'flag' cannot be used together with f:2: 'no-flag'\n");
  EXPECT_EQ(with("once = true\n"), "mqpub: f:1: 'once' is for the command line only\n");
  EXPECT_EQ(with("config = \"g\"\n"), "mqpub: f:1: 'config' is for the command line only\n");
  EXPECT_EQ(with("help = true\n"), "mqpub: f:1: 'help' is for the command line only\n");
  EXPECT_EQ(with("\"\\u001b\" = true\n"), "mqpub: f:1: unknown key '\\e'\n");
}

TEST_F(WithFile, ATableIsReadByItself) {
  const auto parsed = parse_settings("[[x]]\nport = 9\n[[x]]\nport = 70000\n", "f");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(o.read_settings(parsed->tables.at(0).settings), std::nullopt);
  EXPECT_EQ(port, 9);
  EXPECT_EQ(o.read_settings(parsed->tables.at(1).settings),
            "f:4: 'port': '70000' is not a number from 1 to 65535");
}

}  // namespace
}  // namespace mq
