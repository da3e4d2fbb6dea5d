#include <mqtt/broker/acl_file.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include <mqtt/broker/filter_relation.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {
namespace {

Identity client_of(std::string user, std::string client_id = "c") {
  Identity who{.client_id = std::move(client_id), .user = {}, .address = ""};
  if (!user.empty()) who.user.make() = std::move(user);
  return who;
}

AclFile acl_of(std::string_view text) {
  auto parsed = AclFile::parse(text);
  EXPECT_TRUE(parsed) << parsed.error();
  return parsed ? std::move(*parsed) : AclFile{};
}

std::string fault_of(std::string_view text) {
  const auto parsed = AclFile::parse(text);
  return parsed ? "" : parsed.error();
}

bool may_publish(AclFile& acl, const Identity& who, std::string_view topic) {
  return !acl.find_publish_fault(who, topic);
}

constexpr auto not_allowed = ReasonCode::not_authorized;

TEST(AclFile, AFileWithoutRulesForbidsEverything) {  // CVE-2018-12550
  for (const char* text : {"", "\n\n", "# nothing\n", "user joe\n", "  # nothing\r\n"}) {
    AclFile acl = acl_of(text);
    EXPECT_FALSE(may_publish(acl, client_of("joe"), "a")) << text;
    EXPECT_FALSE(acl.may_receive(client_of(""), "a")) << text;
    EXPECT_EQ(acl.find_subscribe_fault(client_of("joe"), "#"), not_allowed) << text;
  }
}

TEST(AclFile, RulesBeforeTheFirstUserAreForAnonymousClientsAlone) {
  AclFile acl = acl_of("topic read news/#\nuser joe\ntopic write joe/#\r\ntopic both\n");
  EXPECT_TRUE(acl.may_receive(client_of(""), "news/x"));
  EXPECT_FALSE(may_publish(acl, client_of(""), "news/x"));
  EXPECT_FALSE(acl.may_receive(client_of("joe"), "news/x"));
  EXPECT_TRUE(may_publish(acl, client_of("joe"), "joe/x"));
  EXPECT_FALSE(acl.may_receive(client_of("joe"), "joe/x"));
  EXPECT_TRUE(may_publish(acl, client_of("joe"), "both") && acl.may_receive(client_of("joe"), "both"));
  EXPECT_FALSE(may_publish(acl, client_of("jim"), "joe/x"));
}

TEST(AclFile, NamesAndTopicsMayHaveBlanksInside) {
  AclFile acl = acl_of("user   joe   doe  \ntopic   read   a  b/#\t\n");
  EXPECT_TRUE(acl.may_receive(client_of("joe   doe"), "a  b/c"));
  EXPECT_FALSE(acl.may_receive(client_of("joe"), "a  b/c"));
}

TEST(AclFile, WhatIsDeniedIsDeniedWhereverItStands) {
  AclFile acl =
      acl_of("user joe\ntopic readwrite a/#\nuser jim\ntopic a/#\nuser joe\ntopic deny a/secret/#\n");
  EXPECT_TRUE(may_publish(acl, client_of("joe"), "a/b"));
  for (const char* topic : {"a/secret", "a/secret/x"}) {
    EXPECT_FALSE(may_publish(acl, client_of("joe"), topic)) << topic;
    EXPECT_FALSE(acl.may_receive(client_of("joe"), topic)) << topic;
    EXPECT_TRUE(acl.may_receive(client_of("jim"), topic)) << topic;
  }
}

TEST(AclFile, PatternsAreForEverybodyAndComeAfterTheUsersOwnRules) {
  AclFile acl =
      acl_of("user joe\ntopic read d/joe/x\npattern readwrite d/%u/#\npattern deny d/+/x\npattern c-%c/%u\n");
  EXPECT_TRUE(may_publish(acl, client_of("joe"), "d/joe/y"));
  EXPECT_FALSE(may_publish(acl, client_of("joe"), "d/jim/y"));
  EXPECT_TRUE(acl.may_receive(client_of("joe"), "d/joe/x"));    // his own rule
  EXPECT_FALSE(may_publish(acl, client_of("joe"), "d/joe/x"));  // the pattern
  EXPECT_TRUE(may_publish(acl, client_of("jim", "7"), "c-7/jim"));
  EXPECT_FALSE(may_publish(acl, client_of("jim", "8"), "c-7/jim"));
}

TEST(AclFile, AnonymousClientsHaveNoPartInPatternsWithAUserName) {
  AclFile acl = acl_of("pattern d/%u/#\npattern e/%c\n");
  EXPECT_FALSE(may_publish(acl, client_of(""), "d//x"));
  EXPECT_TRUE(may_publish(acl, client_of("", "id"), "e/id"));
}

TEST(AclFile, NamesThatAreNoLevelHaveNoPartInPatterns) {  // CVE-2017-7650
  AclFile acl = acl_of("pattern d/%u/#\npattern e/%c/#\npattern read all/#\n");
  for (const char* name : {"#", "+", "a/b", "+/x", "joe/../jim"}) {
    EXPECT_FALSE(acl.may_receive(client_of(name), "d/joe/x")) << name;
    EXPECT_FALSE(acl.may_receive(client_of("joe", name), "e/c/x")) << name;
    EXPECT_FALSE(acl.may_receive(client_of("joe", name), "e/a/b/x")) << name;
    EXPECT_FALSE(acl.may_receive(client_of(name), "all/x")) << name;
    EXPECT_EQ(acl.find_subscribe_fault(client_of(name), "d/joe/#"), not_allowed) << name;
    EXPECT_EQ(acl.find_subscribe_fault(client_of("joe", name), "e/#"), not_allowed) << name;
  }
  AclFile users_only = acl_of("pattern d/%u/#\n");
  EXPECT_TRUE(users_only.may_receive(client_of("joe", "an/id"), "d/joe/x")) << "no pattern puts the id in";
}

TEST(AclFile, ANameIsPutInOnceAndGrantsNoDollarTopics) {
  AclFile acl = acl_of("pattern %u/%c\n");
  EXPECT_TRUE(may_publish(acl, client_of("%c", "x"), "%c/x"));
  EXPECT_FALSE(may_publish(acl, client_of("%c", "x"), "x/x"));
  EXPECT_FALSE(acl.may_receive(client_of("$SYS", "x"), "$SYS/x"));
  EXPECT_EQ(acl.find_subscribe_fault(client_of("$SYS", "x"), "$SYS/x"), not_allowed);
}

TEST(AclFile, DollarTopicsNeedRulesOfTheirOwn) {  // [MQTT-4.7.2-1]
  AclFile acl = acl_of("topic #\nuser joe\ntopic read $SYS/#\n");
  EXPECT_FALSE(acl.may_receive(client_of(""), "$SYS/uptime"));
  EXPECT_EQ(acl.find_subscribe_fault(client_of(""), "$SYS/#"), not_allowed);
  EXPECT_TRUE(acl.may_receive(client_of("joe"), "$SYS/uptime"));
  EXPECT_EQ(acl.find_subscribe_fault(client_of("joe"), "$SYS/#"), std::nullopt);
  EXPECT_EQ(acl.find_subscribe_fault(client_of("joe"), "#"), not_allowed);
}

TEST(AclFile, ASubscriptionIsRefusedIfNothingCouldComeThrough) {
  AclFile acl = acl_of("topic read a/+/b\ntopic write w/#\ntopic read s/#\ntopic deny s/secret/#\n");
  for (const char* filter : {"#", "a/#", "a/1/b", "a/1/+", "+/+/b", "s", "s/+/x", "s/#"})
    EXPECT_EQ(acl.find_subscribe_fault(client_of(""), filter), std::nullopt) << filter;
  for (const char* filter :
       {"b", "a", "a/+", "a/1/c", "w/#", "s/secret", "s/secret/#", "s/secret/+", "a/1/b/c"})
    EXPECT_EQ(acl.find_subscribe_fault(client_of(""), filter), not_allowed) << filter;
}

TEST(AclFile, ARuleThatDeniesMayHaveAReasonCodeOfItsOwn) {
  AclFile acl = acl_of(
      "user joe\ntopic #\ntopic deny=0x97 full/#\ntopic deny a/#\ntopic read r\n"
      "user jim\ntopic j\npattern deny=0x83 d/%u/+\npattern d/#\n");
  const Identity joe = client_of("joe"), jim = client_of("jim");
  EXPECT_EQ(acl.find_publish_fault(joe, "full/x"), ReasonCode::quota_exceeded);
  EXPECT_EQ(acl.find_subscribe_fault(joe, "full/+"), ReasonCode::quota_exceeded);
  EXPECT_FALSE(acl.may_receive(joe, "full/x"));
  EXPECT_EQ(acl.find_publish_fault(joe, "a/x"), not_allowed);
  EXPECT_EQ(acl.find_publish_fault(joe, "x"), std::nullopt);
  EXPECT_EQ(acl.find_subscribe_fault(joe, "+/x"), std::nullopt) << "something may come through";
  EXPECT_EQ(acl.find_publish_fault(jim, "d/jim/x"), ReasonCode::implementation_specific_error);
  EXPECT_EQ(acl.find_publish_fault(jim, "d/joe/x"), std::nullopt);
  EXPECT_EQ(acl.find_publish_fault(jim, "full/x"), not_allowed) << "no rule of his is about it";
}

TEST(AclFile, OnlyCodesThatEveryRefusalMayHaveAreTaken) {
  for (int code = 0; code <= 0xFF; ++code) {
    const bool taken = code == 0x80 || code == 0x83 || code == 0x87 || code == 0x97;
    const std::string fault = fault_of(fmt::format("user joe\ntopic deny=0x{:02x} a\n", code));
    EXPECT_EQ(fault.empty(), taken) << fault;
  }
  EXPECT_EQ(fault_of("topic deny=0x8F a"),
            "1: 'deny=0x8F' is not deny=0x80, 0x83, 0x87 or 0x97, which every refusal may have");
  for (const char* word :
       {"deny=", "deny=0x", "deny=135", "deny=0x087", "deny=0x8", "deny=0x-1", "read=0x87"})
    EXPECT_NE(fault_of(fmt::format("topic {} a", word)), "") << word;
  EXPECT_EQ(fault_of("topic deny=0x87"), "1: the topic is missing");
}

TEST(AclFile, LinesThatAreNoneAreNamedByTheirNumber) {
  EXPECT_EQ(fault_of("topic a\n\nfoo a\n"), "3: 'foo' is not topic, user, pattern or a comment");
  EXPECT_EQ(fault_of("topic"), "1: the topic is missing");
  EXPECT_EQ(fault_of("pattern deny"), "1: the topic is missing");
  EXPECT_EQ(fault_of("user joe\nuser \n"), "2: the user name is missing");
  EXPECT_EQ(fault_of("topic reed a/b"), "1: 'reed' is not read, write, readwrite or deny");
  EXPECT_EQ(fault_of("topic read a#"), "1: '#' does not stand alone in its level");
  EXPECT_NE(fault_of("topic read $share/g/a"), "");
  EXPECT_NE(fault_of("user \xFF"), "");
  EXPECT_NE(fault_of(std::string_view{"topic a\0b", 9}), "");
  EXPECT_EQ(fault_of("topic\ta"), "1: 'topic\\ta' is not topic, user, pattern or a comment");
}

/// Every topic and filter of up to three levels out of a few.
std::vector<std::string> paths_of(const std::vector<std::string>& levels) {
  std::vector<std::string> paths;
  for (const std::string& a : levels) {
    paths.push_back(a);
    for (const std::string& b : levels) {
      paths.push_back(a + "/" + b);
      for (const std::string& c : levels) paths.push_back(a + "/" + b + "/" + c);
    }
  }
  return paths;
}

TEST(FilterRelation, IsWhatTheTopicsSay) {
  const auto topics = paths_of({"a", "b", "", "$x"});
  auto filters = paths_of({"a", "+", "#", "$x"});
  std::erase_if(filters,
                [](const std::string& filter) { return find_topic_filter_error(filter).has_value(); });
  for (const std::string& one : filters)
    for (const std::string& other : filters) {
      bool overlap = false;
      bool covered = true;
      for (const std::string& topic : topics) {
        const bool in_one = !topic.empty() && topic_matches(one, topic);
        const bool in_other = !topic.empty() && topic_matches(other, topic);
        overlap |= in_one && in_other;
        covered &= in_one || !in_other;
      }
      EXPECT_EQ(filters_overlap(one, other), overlap) << one << ' ' << other;
      // Where the other one has "#", topics of more levels could lie outside.
      const bool covers = filter_covers(one, other);
      EXPECT_TRUE(covered || !covers) << one << ' ' << other;
      EXPECT_TRUE(covers || !covered || other.ends_with('#')) << one << ' ' << other;
    }
}

}  // namespace
}  // namespace mqtt::broker
