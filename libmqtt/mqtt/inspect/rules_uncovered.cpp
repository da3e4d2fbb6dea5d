#include <mqtt/inspect/lint.hpp>

// The clauses without a rule of their own, so that what is covered can be counted. One fault gives one
// finding: where several clauses say the same, it is named as the most telling one.

namespace mqtt {
namespace {

constexpr Uncovered uncovered[] = {
    {"found as the clause of the string: MQTT-1.5.4-1, before 5.0 MQTT-1.5.3-1",
     "MQTT-1.5.7-1 MQTT-3.1.3-4 MQTT-3.1.3-11 MQTT-3.1.3-12 MQTT-3.10.3-1 MQTT-3.3.2-1 "
     "MQTT-3.3.2-13 MQTT-3.3.2-19 MQTT-3.8.3-1",
     "MQTT-3.1.3-4 MQTT-3.1.3-10 MQTT-3.1.3-11 MQTT-3.10.3-1 MQTT-3.3.2-1 MQTT-3.8.3-1"},
    {"found as U+0000 in a string: MQTT-1.5.4-2, before 5.0 MQTT-1.5.3-2", "MQTT-4.7.3-2", "MQTT-4.7.3-2"},
    {"found as flags of the fixed header: MQTT-2.1.3-1, before 5.0 MQTT-2.2.2-1",
     "MQTT-3.10.1-1 MQTT-3.14.1-1 MQTT-3.15.1-1 MQTT-3.6.1-1 MQTT-3.8.1-1",
     "MQTT-3.10.1-1 MQTT-3.14.1-1 MQTT-3.6.1-1 MQTT-3.8.1-1"},
    {"found as fields that do not fill the packet: v5#2.1.4/rl-fit, before 5.0 v311#2.2.3/rl-fit",
     "MQTT-2.2.1-2 MQTT-2.2.2-1 MQTT-3.1.2-9 MQTT-3.1.2-16 MQTT-3.1.2-17 MQTT-3.1.2-18 "
     "MQTT-3.1.2-19 MQTT-3.1.3-1 MQTT-3.1.3-3",
     "MQTT-3.1.2-9 MQTT-3.1.2-18 MQTT-3.1.2-19 MQTT-3.1.2-20 MQTT-3.1.2-21 MQTT-3.1.3-1 "
     "MQTT-3.1.3-3"},
    {"found as its parts: MQTT-3.1.2-13 and MQTT-3.1.2-15", "", "MQTT-3.1.2-11"},
    {"found as DUP on QoS 0: MQTT-3.3.1-2", "MQTT-4.3.1-1", "MQTT-4.3.1-1"},
    {"found as a packet identifier that is under way: MQTT-2.2.1-3 and MQTT-2.2.1-4, before 5.0 MQTT-2.3.1-2 "
     "and "
     "MQTT-2.3.1-4",
     "MQTT-4.3.2-1 MQTT-4.3.2-3 MQTT-4.3.3-1 MQTT-4.3.3-3 MQTT-4.3.3-5", "MQTT-4.3.2-1"},
    {"found as DUP on a message that was not sent before: MQTT-3.3.1-3", "MQTT-4.3.2-2 MQTT-4.3.3-2", ""},
    {"found as an answer to no request: MQTT-2.2.1-6, before 5.0 MQTT-2.3.1-7",
     "MQTT-3.8.4-2 MQTT-3.8.4-5 MQTT-3.10.4-5 MQTT-3.10.4-6", "MQTT-3.8.4-2 MQTT-3.8.4-4 MQTT-3.10.4-6"},
    {"found as UNSUBSCRIBE without answer: MQTT-3.10.4-4", "", "MQTT-3.10.4-5"},
    {"found as a delivery that matches no subscription: MQTT-3.3.2-3", "MQTT-3.10.4-2", "MQTT-3.10.4-2"},
    {"found as a delivery above the granted QoS: MQTT-3.8.4-8", "MQTT-4.8.2-3", ""},
    {"found as the reason codes of SUBACK: MQTT-3.9.3-2", "MQTT-3.8.4-7", ""},
    {"found as Receive Maximum: MQTT-3.3.4-7 and MQTT-3.3.4-9", "MQTT-4.9.0-1 MQTT-4.9.0-2", ""},
    {"found as the Topic Alias of one side: MQTT-3.3.2-9 and MQTT-3.3.2-11", "MQTT-3.2.2-17 MQTT-3.1.2-26",
     ""},
    {"found as an empty client id without an assigned one: MQTT-3.1.3-7", "MQTT-3.2.2-16", ""},
    {"found as the Server Keep Alive: MQTT-3.2.2-21", "MQTT-3.1.2-21", ""},
    {"found as the Keep Alive of CONNECT: MQTT-3.1.2-22", "MQTT-3.2.2-22", ""},
    {"found as the server that refused and did not close: MQTT-3.2.2-7, before 5.0 MQTT-3.2.2-5; as "
     "DISCONNECT and not closed: MQTT-3.14.4-2",
     "MQTT-3.1.3-8 MQTT-3.1.4-2 MQTT-4.12.0-1 MQTT-4.12.0-4 MQTT-4.13.2-1", "MQTT-3.1.3-9"},
    {"found as messages without answer: MQTT-4.3.2-4 and MQTT-4.3.3-8, before 5.0 MQTT-4.3.2-2 and "
     "MQTT-4.3.3-2",
     "MQTT-4.5.0-2 MQTT-4.3.3-13 MQTT-4.3.3-7", "MQTT-4.5.0-2"},
    {"found as AUTH before CONNACK and as another method: MQTT-4.12.0-3 and MQTT-4.12.0-5", "MQTT-4.12.1-1",
     ""},
    {"what a receiver makes of a packet in several frames shows only as an answer that does not come",
     "MQTT-6.0.0-2", "MQTT-6.0.0-2"},
    {"found as DISCONNECT whose sender did not close: MQTT-3.14.4-2", "MQTT-4.12.1-2", ""},
    {"a message that is too large for a client is dropped without a sign", "MQTT-3.1.2-25", ""},
    {"a PUBLISH that is refused shows in 3.1.1 as any other: an acknowledgement, or a close", "",
     "MQTT-3.3.5-2"},
    {"before 5.0 a server does not say that it has no wildcards", "", "MQTT-3.8.3-2"},
    {"found as answers that are owed while the quota is used up: MQTT-3.3.4-8 and MQTT-3.3.4-10",
     "MQTT-4.9.0-3", ""},
    {"copies of one message cannot be told from messages that are alike",
     "MQTT-3.3.4-2 MQTT-3.3.4-5 MQTT-3.8.4-3", "MQTT-3.1.2-10 MQTT-3.3.5-1 MQTT-3.8.4-3"},
    {"found as messages without answer: MQTT-4.3.2-4, MQTT-4.3.3-8 and MQTT-4.3.3-4, before 5.0 MQTT-4.3.3-1",
     "MQTT-4.3.2-5 MQTT-4.3.3-9 MQTT-4.3.3-12 MQTT-3.10.4-3", "MQTT-3.10.4-3"},
    {"what a receiver does with a second copy of a QoS 2 message is not on the wire", "MQTT-4.3.3-10", ""},
    {"found as a session that is there or not: MQTT-3.1.2-5 and MQTT-3.2.2-3, before 5.0 MQTT-3.2.2-2",
     "MQTT-3.1.2-6 MQTT-3.1.2-23", "MQTT-3.1.2-4 MQTT-4.1.0-1"},
    {"a message that does not come may have been refused, dropped or delayed: a server has rules of its own",
     "MQTT-3.1.2-7 MQTT-3.1.2-8 MQTT-3.3.1-9 MQTT-3.8.4-4 MQTT-4.5.0-1 MQTT-3.10.4-1 MQTT-4.1.0-1",
     "MQTT-3.1.2-5 MQTT-3.1.2-7 MQTT-3.1.2-8 MQTT-3.3.1-6 MQTT-4.5.0-1 MQTT-3.10.4-1 MQTT-4.1.0-2"},
    {"found as a Will that was taken back: MQTT-3.14.4-3", "MQTT-3.1.2-10", ""},
    {"anybody may publish what looks like a Will", "", "MQTT-3.1.2-12"},
    {"a Will may have left the server before its client came back", "MQTT-3.1.3-9", ""},
    {"a stored message for a repeated subscription looks like one that is late", "MQTT-3.3.1-10", ""},
    {"found as a string that is not as it was published, or matches no subscription: MQTT-3.3.2-3, in 5.0 "
     "MQTT-3.3.2-15",
     "MQTT-1.5.4-3", "MQTT-1.5.3-3"},
    {"found as messages in another order: MQTT-4.6.0-5", "MQTT-4.6.0-6", "MQTT-4.6.0-6"},
    {"found as a delivery that matches no subscription: MQTT-3.3.2-3", "MQTT-4.7.3-4", "MQTT-4.7.3-4"},
    {"which member of a shared subscription had a message before cannot be told where messages are alike",
     "MQTT-4.8.2-4 MQTT-4.8.2-5 MQTT-4.8.2-6", ""},
    {"clients without an id have no name that one could take from the other", "", "MQTT-3.1.3-6"},
    {"found as a retained message that was replaced: MQTT-3.3.1-5", "", "MQTT-3.3.1-7"},
    {"found as v5#3.2.2.3.11/feature-bits, v5#3.2.2.3.12/feature-bits and v5#3.2.2.3.13/feature-bits",
     "v5#3.2.2.3.11-13/feature-bits", ""},
    {"found as v5#3.3.2.3.2/pfi-value and v5#3.3.2.3.3/expiry-dup", "v5#3.3.2.3.2-3/pfi-expiry-dup", ""},
    {"found as v5#3.3.2.3.5/dup, v5#3.3.2.3.6/dup and v5#3.3.2.3.9/dup", "v5#3.3.2.3.5-9/dup", ""},
    {"found as v5#3.8.2.1.2/subid", "v5#3.3.2.3.8/subid-zero v5#3.8.2.1.2/subid-dup", ""},
    {"found as v5#3.1.2.11.10/auth-data", "v5#3.15.2.2.3/data-dup", ""},
    {"found as fields that do not fill the packet: v5#2.1.4/rl-fit, before 5.0 v311#2.2.3/rl-fit",
     "v5#3.12/empty", "v311#3.4-3.11/rl-2 v311#3.12-3.14/rl-0"},
    {"found as MQTT-3.3.2-7", "v5#3.3.4/alias-unset", ""},
    {"found as MQTT-4.12.0-5", "v5#3.15/auth-foreign", ""},
    {"found as an answer to a packet identifier that is not under way: MQTT-2.2.1-5",
     "v5#4.3.3/pubrel-after-error", ""},
};

}  // namespace

std::span<const Uncovered> uncovered_clauses() { return uncovered; }

}  // namespace mqtt
