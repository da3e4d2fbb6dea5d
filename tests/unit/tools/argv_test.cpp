#include "common/argv.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/tools/reading.hpp"

namespace mq {
namespace {

/// Options of every arity; what was read comes back as one line.
struct Bench {
  Options options{test::program()};
  std::string message = "-";
  std::vector<std::string> topics;
  std::uint8_t qos = 0;
  bool debug = false, retain = false;
  std::vector<std::array<std::string, 3>> tuples;
  std::string json = "-";
  std::string file = "-";

  Bench() {
    options.text("-m,--message", message);
    options.list("-t,--topic", topics);
    options.number("-q,--qos", qos, {.max = 2});
    options.flag("-d,--debug", debug);
    options.flag("-r,--retain", retain);
    options.tuple("-D,--property", tuples).metavar("PACKET NAME VALUE");
    options.choice("--json", json, {{"text", "text"}, {"parse", "parse"}}).implied("text");
    options.text("FILE", file);
  }

  std::string read(const std::vector<std::string>& arguments) {
    const std::string said = test::read(options, arguments);
    if (!said.empty()) return said;
    std::string properties;
    for (const auto& tuple : tuples) properties += fmt::format("{};", fmt::join(tuple, "|"));
    return fmt::format("m={} t={} q={} d={:d} r={:d} D={} json={} file={}", message, fmt::join(topics, "|"),
                       qos, debug, retain, properties, json, file);
  }
};

std::string defaults_but(std::string_view part, std::string_view instead) {
  std::string text = "m=- t= q=0 d=0 r=0 D= json=- file=-";
  return text.replace(text.find(part), part.size(), instead);
}

struct Good {
  std::vector<std::string> arguments;
  std::string expected;
};

class ArgvTorture : public testing::TestWithParam<Good> {};

TEST_P(ArgvTorture, ReadsAsGetoptDoes) { EXPECT_EQ(Bench{}.read(GetParam().arguments), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Table, ArgvTorture,
    testing::Values(
        Good{{}, defaults_but("m=-", "m=-")}, Good{{"-m", "x"}, defaults_but("m=-", "m=x")},
        Good{{"-mx"}, defaults_but("m=-", "m=x")}, Good{{"--message", "x"}, defaults_but("m=-", "m=x")},
        Good{{"--message=x"}, defaults_but("m=-", "m=x")},
        // The next argument is the value, whatever it looks like.
        Good{{"-m", "-5"}, defaults_but("m=-", "m=-5")},
        Good{{"-m", "--foo"}, defaults_but("m=-", "m=--foo")},
        Good{{"-m", "-t"}, defaults_but("m=-", "m=-t")}, Good{{"-m", "--"}, defaults_but("m=-", "m=--")},
        Good{{"-m", "-"}, defaults_but("m=-", "m=-")},
        Good{{"-m", "--help"}, defaults_but("m=-", "m=--help")},
        Good{{"-m", "--topic=x"}, defaults_but("m=-", "m=--topic=x")},
        Good{{"--message", "--version"}, defaults_but("m=-", "m=--version")},
        // Nothing in a value means anything.
        Good{{"-m", ""}, defaults_but("m=-", "m=")}, Good{{"--message="}, defaults_but("m=-", "m=")},
        Good{{"-m", "{}"}, defaults_but("m=-", "m={}")},
        Good{{"-m", "[1,2]"}, defaults_but("m=-", "m=[1,2]")},
        Good{{"-m[1,2]"}, defaults_but("m=-", "m=[1,2]")}, Good{{"-m", "%%"}, defaults_but("m=-", "m=%%")},
        Good{{"-t", "[a]", "-t", "{}", "-t", "", "-t", "a,b"}, defaults_but("t=", "t=[a]|{}||a,b")},
        Good{{"-m", "a=b"}, defaults_but("m=-", "m=a=b")},
        Good{{"--message=a=b"}, defaults_but("m=-", "m=a=b")},
        Good{{"--message==x"}, defaults_but("m=-", "m==x")}, Good{{"-m=x"}, defaults_but("m=-", "m==x")},
        Good{{"-m", "\"q\" 'r' \\ $s"}, defaults_but("m=-", "m=\"q\" 'r' \\ $s")},
        Good{{"-m", "\xff\xfe"}, defaults_but("m=-", "m=\xff\xfe")},
        // Clusters
        Good{{"-dr"}, defaults_but("d=0 r=0", "d=1 r=1")},
        Good{{"-drmx"}, "m=x t= q=0 d=1 r=1 D= json=- file=-"},
        Good{{"-dm", "-r"}, "m=-r t= q=0 d=1 r=0 D= json=- file=-"},
        Good{{"-q1"}, defaults_but("q=0", "q=1")}, Good{{"-d", "-d"}, defaults_but("d=0", "d=1")},
        // Repeats: lists collect, the last single value counts.
        Good{{"-ta", "--topic", "b", "--topic=c"}, defaults_but("t=", "t=a|b|c")},
        Good{{"-m", "x", "-m", "y"}, defaults_but("m=-", "m=y")},
        // Tuples
        Good{{"-D", "a", "-b", "--c"}, defaults_but("D=", "D=a|-b|--c;")},
        Good{{"-Da", "b", "c", "-D", "1", "2", "3"}, defaults_but("D=", "D=a|b|c;1|2|3;")},
        Good{{"--property=a", "b", "c"}, defaults_but("D=", "D=a|b|c;")},
        // A value that may be left out never takes the next argument.
        Good{{"--json"}, defaults_but("json=-", "json=text")},
        Good{{"--json=parse"}, defaults_but("json=-", "json=parse")},
        Good{{"--json", "parse"}, defaults_but("json=- file=-", "json=text file=parse")},
        // Positionals
        Good{{"x"}, defaults_but("file=-", "file=x")},
        Good{{"-d", "x", "-r"}, "m=- t= q=0 d=1 r=1 D= json=- file=x"},
        Good{{"--", "-d"}, defaults_but("file=-", "file=-d")}, Good{{"-"}, defaults_but("file=-", "file=-")},
        Good{{""}, defaults_but("file=-", "file=")}));

struct Bad {
  std::vector<std::string> arguments;
  std::string sentence;
};

class ArgvMistakes : public testing::TestWithParam<Bad> {};

TEST_P(ArgvMistakes, AreOneLine) {
  EXPECT_EQ(Bench{}.read(GetParam().arguments), "mqpub: " + GetParam().sentence + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Table, ArgvMistakes,
    testing::Values(Bad{{"--retian"}, "unknown option '--retian'; did you mean '--retain'?"},
                    Bad{{"--retian=1"}, "unknown option '--retian'; did you mean '--retain'?"},
                    Bad{{"-retain"}, "unknown option '-retain'; did you mean '--retain'?"},
                    Bad{{"--zzzzzz"}, "unknown option '--zzzzzz'"}, Bad{{"-Z"}, "unknown option '-Z'"},
                    Bad{{"-d5"}, "unknown option '-5'"}, Bad{{"--top"}, "unknown option '--top'"},
                    Bad{{"--\x1b[2J"}, "unknown option '--\\e[2J'"}, Bad{{"-t"}, "option '-t' needs a value"},
                    Bad{{"--topic"}, "option '--topic' needs a value"},
                    Bad{{"-dt"}, "option '-t' needs a value"},
                    Bad{{"-D", "a", "b"}, "option '-D' needs 3 values: PACKET NAME VALUE"},
                    Bad{{"--debug=1"}, "option '--debug' takes no value"},
                    Bad{{"-q", "3"}, "option '-q': '3' is not a number from 0 to 2"},
                    Bad{{"-q", "1x"}, "option '-q': '1x' is not a number from 0 to 2"},
                    Bad{{"-q", "-1"}, "option '-q': '-1' is not a number from 0 to 2"},
                    Bad{{"-q", "+1"}, "option '-q': '+1' is not a number from 0 to 2"},
                    Bad{{"-q", " 1"}, "option '-q': ' 1' is not a number from 0 to 2"},
                    Bad{{"-q", "0x1"}, "option '-q': '0x1' is not a number from 0 to 2"},
                    Bad{{"-q", ""}, "option '-q': '' is not a number from 0 to 2"},
                    Bad{{"-q", "99999999999999999999"},
                        "option '-q': '99999999999999999999' is not a number from 0 to 2"},
                    Bad{{"-q", "1\n2"}, "option '-q': '1\\n2' is not a number from 0 to 2"},
                    Bad{{"--json=x"}, "option '--json': 'x' is not one of text, parse"},
                    Bad{{"a", "b"}, "unexpected argument 'b'"}));

TEST(CutArguments, TellsWhereEachValueStands) {
  Bench bench;
  std::vector<Option*> none;
  ArgumentRules rules;
  Option& message = const_cast<Option&>(bench.options.find("-m"));
  rules.lookup = [&](std::string_view name) { return name == "-m" ? &message : nullptr; };
  rules.wanted = [](const Option&, std::span<const std::string>) { return std::size_t{1}; };
  const CutArguments cut = cut_arguments({"-mab", "-m", "cd"}, rules);
  ASSERT_EQ(cut.occurrences.size(), 2u);
  EXPECT_EQ(cut.occurrences[0].parts.at(0).argument, 0u);
  EXPECT_EQ(cut.occurrences[0].parts.at(0).offset, 2u);
  EXPECT_EQ(cut.occurrences[1].parts.at(0).argument, 2u);
  EXPECT_EQ(cut.occurrences[1].parts.at(0).offset, 0u);
}

}  // namespace
}  // namespace mq
