#pragma once
#include <set>
#include <string>
#include <vector>

#include <mqtt/inspect/lint.hpp>

// Conversations as somebody in between sees them. tests/inspect/*.txt hold them:
//
//   [words]                 begins a conversation, named so
//   versions 311 5          it is held in these; without it in 3.1, 3.1.1 and 5.0
//   middle                  it began before we looked
//   at 20ms                 it is that time now
//   > PACKET, < PACKET      from the client, from the server, as in tests/session/packet_text.hpp
//   >hex 30 02 …, <hex …    bytes
//   byte by byte          from here on each packet comes in pieces of one byte
//   websocket offers nothing, websocket selects nothing, websocket text >, websocket text <
//   gap >, gap <            bytes of a direction are missing here
//   close client fin        "close FROM HOW"; also "server", "nobody"; "reset", "unknown"
//   = WORDS, WORDS          each of these was seen of the last packet:
//                           answers NUMBER AFTER; unanswered; topic TOPIC; fault CLAUSE@OFFSET;
//                           in-flight CLIENT SERVER; version 5.0; skipped BYTES; packets COUNT
//   ! CLAUSE SIDE SEVERITY @OFFSET+SIZE #OTHER
//                           was found in the last packet, or at its end; OTHER is the other packet's number.
//                           In files of findings every one is to be named
//   why WORDS               the post-mortem of the close before
//   on 2                    from here on it is the conversation's connection 2, to the same server; it
//                           begins where it is named first. All begin with 1
//   --                      another server, of the same conversation
//   5: LINE, 3: LINE …      the line is for 5.0, for 3.1 and 3.1.1, for 31, for 311

namespace mqtt::test {

struct Conversation {
  std::string file;
  std::string name;
  std::vector<Version> versions;
  std::vector<std::string> lines;
};

[[nodiscard]] std::vector<Conversation> read_conversations(const std::string& file);

/// One connection of a conversation as the linter saw it.
struct Played {
  std::uint32_t types = 0;  ///< bit n: a packet of type n came; bit 0: it was closed
  std::set<const Rule*> broken;
};

struct Outcome {
  std::vector<std::string> problems;  ///< what differs from what the conversation says, a line each
  std::vector<Played> connections;
};
[[nodiscard]] Outcome play(const Conversation& conversation, Version version);

}  // namespace mqtt::test
