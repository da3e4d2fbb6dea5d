#include "mqspy/takeovers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

namespace mq::spy {
namespace {

using mqtt::Sender;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Connections that come and go; time goes on by a second with each.
class Clients {
 public:
  Link connect(std::string_view client_id) {
    Link link;
    link.number = ++opened_;
    link.client = fmt::format("10.0.0.{}:1", opened_);
    takeovers.connecting(link, client_id, now += seconds{1});
    return link;
  }
  std::string end(const Link& link, Sender by = Sender::server) {
    const mqtt::FlowClose close{.by = by, .how = mqtt::FlowClose::How::fin, .time = now};
    return takeovers.ended(link, close, {}).value_or("");
  }

  Takeovers takeovers;
  mqtt::TimePoint now{seconds{1000}};

 private:
  std::uint64_t opened_ = 0;
};

TEST(Takeovers, NamesBothAddresses) {
  Clients clients;
  const Link first = clients.connect("plc3");
  const Link other = clients.connect("other");
  const Link second = clients.connect("plc3");
  EXPECT_THAT(clients.end(first), AllOf(HasSubstr("c3 from 10.0.0.3:1"), HasSubstr("client id plc3"),
                                        HasSubstr("this one from 10.0.0.1:1"), Not(HasSubstr("turns"))));
  EXPECT_EQ(clients.end(other), "");
  EXPECT_EQ(clients.end(second), "");
}

TEST(Takeovers, OneAfterTheOtherIsNone) {
  Clients clients;
  const Link first = clients.connect("plc3");
  EXPECT_EQ(clients.end(first), "");
  EXPECT_EQ(clients.end(clients.connect("plc3")), "");
}

TEST(Takeovers, AClientThatGoesByItselfWasNotThrownOut) {
  Clients clients;
  const Link first = clients.connect("plc3");
  clients.connect("plc3");
  EXPECT_EQ(clients.end(first, Sender::client), "");
}

TEST(Takeovers, WhoeverIsRefusedTakesNothing) {
  Clients clients;
  const Link first = clients.connect("plc3");
  const Link intruder = clients.connect("plc3");
  clients.takeovers.refused(intruder);
  EXPECT_EQ(clients.end(intruder), "");
  EXPECT_EQ(clients.end(first), "");
}

TEST(Takeovers, InTurnsIsNamedAsSuch) {
  Clients clients;
  Link holder = clients.connect("plc3");
  std::string why;
  for (int i = 0; i < 3; ++i) {
    const Link next = clients.connect("plc3");
    why = clients.end(holder);
    holder = next;
  }
  EXPECT_THAT(why, HasSubstr("take it from each other in turns, 3 times so far"));
  clients.now += std::chrono::hours{1};
  const Link much_later = clients.connect("plc3");
  EXPECT_THAT(clients.end(holder), Not(HasSubstr("turns")));
  EXPECT_EQ(clients.end(much_later), "");
}

TEST(Takeovers, AnIdOfTheServersMakingIsNobodysElse) {
  Clients clients;
  const Link first = clients.connect("");
  clients.connect("");
  EXPECT_EQ(clients.end(first), "");
}

}  // namespace
}  // namespace mq::spy
