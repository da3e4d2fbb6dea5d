#include "common/options_docs.hpp"

#include <gtest/gtest.h>

#include "unit/tools/reading.hpp"

namespace mq {
namespace {

struct Documented : testing::Test {
  Options o{{.name = "mqpub", .summary = "Publish messages to a broker.", .usage = "[OPTIONS] -t TOPIC"}};
  std::vector<std::array<std::string, 2>> moves;
  std::string topic, speed, json, end;
  std::uint8_t qos = 0;
  bool hidden = false;

  Documented() {
    o.text("-t,--topic", topic)
        .metavar("TOPIC")
        .group("Message")
        .text("the topic to publish to")
        .example("-t 'a b'");
    o.choice("-q,--qos", qos, {{"0", 0}, {"1", 1}, {"2", 2}}).metavar("QOS").group("Message").text("quality");
    o.tuple("--move", moves)
        .metavar("FROM TO")
        .text("publish (as -t, --topic) at TO. It is what FROM is")
        .excludes({"-t", "--qos", "--speed"});
    o.text("--speed", speed).metavar("X|max").text("so fast").needs({"--move"});
    o.choice("--json", json, {{"text", "text"}, {"parse", "parse"}}).implied("text").text("as mqsub --json");
    o.text("--end", end).env("MQTT_END").text(R"('\n' ends it; .5, too)");
    o.flag("--secret-switch", hidden).hidden();
  }
};

TEST_F(Documented, AManPageHasAllThatIsKnownOfEachOption) {
  const std::string page = man_options(o);
  EXPECT_EQ(page.substr(0, page.find(".Ss Help")), R"(.Ss Message
.Bl -tag -width Ds
.It Fl t , Fl -topic Ar TOPIC
The topic to publish to.
Example:
.Dl -t 'a b'
.It Fl q , Fl -qos Ar QOS
Quality.
One of
.Cm 0 , 1 , 2 .
Default: 0.
.El
.Ss Options
.Bl -tag -width Ds
.It Fl -move Ar FROM TO
Publish (as
.Fl t ,
.Fl -topic )
at
.Ar TO .
It is what
.Ar FROM
is.
Not together with
.Fl -topic ,
.Fl -qos
or
.Fl -speed .
.It Fl -speed Ar X | Cm max
So fast.
Needs
.Fl -move .
.It Fl -json Ns Oo = Ns Cm text | Cm parse Oc
As mqsub
.Fl -json .
.It Fl -end Ar TEXT
\&'\en' ends it; .5, too.
Environment:
.Ev MQTT_END .
.El
)");
}

TEST_F(Documented, PrintDocsWritesItWhateverElseIsWrong) {
  EXPECT_EQ(test::read(o, {"--print-docs=man", "--move", "x"}), man_options(o));
  EXPECT_EQ(o.help(80).find("--print-docs"), std::string::npos);
}

TEST_F(Documented, AnotherKindOfDocumentationIsAnError) {
  EXPECT_EQ(test::read(o, {"--print-docs", "x"}), "mqpub: option '--print-docs': 'x' is not one of man, bash, fish, zsh, json\n");
}

}  // namespace
}  // namespace mq
