// Every rule: a conversation that breaks it, and one with the same kind of packets that does not. And every
// clause of the specifications: a rule, or a reason why there is none.
#include <mqtt/inspect/lint.hpp>

#include <algorithm>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "conversation.hpp"
#include "session/packet_text.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

/// A rule has one clause for 5.0 and one for the versions before it.
using RuleInVersion = std::pair<const Rule*, bool>;

struct Seen {
  std::set<RuleInVersion> broken, held;
};

/// Plays all; a rule is held where a connection of the conversation that breaks it does not.
Seen play_all(std::initializer_list<const char*> files) {
  Seen seen;
  for (const char* file : files)
    for (const Conversation& conversation : read_conversations(std::string{MQ_CONVERSATIONS "/"} + file))
      for (const Version version : conversation.versions) {
        const Outcome outcome = play(conversation, version);
        for (const std::string& problem : outcome.problems) ADD_FAILURE() << problem;
        std::set<const Rule*> broken;
        for (const Played& played : outcome.connections)
          broken.insert(played.broken.begin(), played.broken.end());
        for (const Rule* rule : broken) {
          seen.broken.insert({rule, version == Version::v5});
          for (const Played& played : outcome.connections)
            if ((played.types & rule->when) != 0 && !played.broken.contains(rule))
              seen.held.insert({rule, version == Version::v5});
        }
      }
  return seen;
}

std::string name_of(const Rule& rule, bool of_5) {
  return std::string{of_5 ? "5.0 " : "3.1.1 "} + std::string{of_5 ? rule.clause.v5 : rule.clause.v3_1_1} +
         ": " + std::string{rule.text};
}

TEST(Lint, EachRuleOfAConnectionIsFoundBrokenAndFoundHeld) {
  const Seen seen = play_all({"lint_connect.txt", "lint_publish.txt", "lint_answer.txt", "lint_subscribe.txt",
                              "lint_ending.txt", "lint_delivery.txt", "lint_announced.txt", "lint_fault.txt",
                              "lint_hint.txt", "lint_websocket.txt", "lint_session.txt", "lint_forward.txt"});
  for (const auto subject : all_rules())
    for (const Rule& rule : subject)
      for (const bool of_5 : {true, false}) {
        if (!rule.check || (of_5 ? rule.clause.v5 : rule.clause.v3_1_1).empty()) continue;
        EXPECT_TRUE(seen.broken.contains({&rule, of_5})) << "never broken: " << name_of(rule, of_5);
        EXPECT_TRUE(seen.held.contains({&rule, of_5})) << "never held: " << name_of(rule, of_5);
      }
}

TEST(Lint, EachRuleOfOnePacketIsFoundBroken) {
  const Seen seen = play_all({"lint_packet.txt"});
  for (const Rule& rule : all_rules()[0])
    for (const bool of_5 : {true, false}) {
      if ((of_5 ? rule.clause.v5 : rule.clause.v3_1_1).empty()) continue;
      EXPECT_TRUE(seen.broken.contains({&rule, of_5})) << "never broken: " << name_of(rule, of_5);
    }
}

TEST(Lint, EachFaultOfAPacketIsFound) { (void)play_all({"lint_several.txt"}); }

TEST(Lint, FindsInRecordedConversationsOnlyWhatIsWrongThere) {
  const Seen seen = play_all({"lint_mosquitto.txt"});
  EXPECT_EQ(seen.broken.size(), 1u);
}

class Counting final : public FlowWatcher {
 public:
  void before_packet(const FlowPacket& packet, const FlowState& state) override {
    lint(packet, state, findings);
  }
  void after_packet(const FlowPacket&, const FlowState&) override {}
  void on_close(const FlowClose&, const FlowState&) override {}
  std::vector<Finding> findings;
};

TEST(Lint, FindsNothingWrongInValidPacketsOfAConnectionThatItDidNotSeeBegin) {
  for (const Sample& sample : all_samples()) {
    if (sample.name.starts_with("CONNECT")) continue;
    Flow flow{Flow::Start::middle, sample.context.version};
    Counting counting;
    flow.receive(sample.context.sender, {}, sample.bytes, counting);
    for (const Finding& f : counting.findings)
      EXPECT_NE(f.severity, Severity::error) << sample.name << ": " << f.clause << " " << f.text;
  }
}

/// The words of a list of clauses.
void add_clauses(std::set<std::string>& to, std::string_view list) {
  for (const std::string& word : split(list, ' '))
    if (!word.empty()) to.insert(word);
}

TEST(Lint, EachClauseHasARuleOrAReason) {
  std::map<std::string, std::set<std::string>> ruled, excused;
  for (const auto subject : all_rules())
    for (const Rule& rule : subject) {
      add_clauses(ruled["5.0"], rule.clause.v5);
      add_clauses(ruled["3.1.1"], rule.clause.v3_1_1);
    }
  for (const Uncovered& u : uncovered_clauses()) {
    EXPECT_FALSE(u.reason.empty());
    add_clauses(excused["5.0"], u.v5);
    add_clauses(excused["3.1.1"], u.v3_1_1);
  }
  std::ifstream table{MQ_CLAUSES};
  std::string line;
  std::getline(table, line);
  std::size_t clauses = 0;
  while (std::getline(table, line)) {
    const auto columns = split(line, '\t');
    ASSERT_GE(columns.size(), 2u) << line;
    const std::string& version = columns[0];
    const std::string clause = columns[1];
    ++clauses;
    const bool has_rule = ruled[version].contains(clause), has_reason = excused[version].erase(clause) > 0;
    EXPECT_NE(has_rule, has_reason) << version << " " << clause << (has_rule ? " has both" : " has neither");
  }
  EXPECT_GT(clauses, 400u);
  for (const auto& [version, rest] : excused)
    for (const std::string& clause : rest)
      EXPECT_FALSE(clause.starts_with("MQTT-")) << version << " " << clause << " is no clause of the table";
}

}  // namespace
}  // namespace mqtt::test
