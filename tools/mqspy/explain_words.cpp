#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "mqspy/explain.hpp"

namespace mq::spy {
namespace {

using Words = std::pair<unsigned, std::string_view>;

constexpr Words reasons[] = {
    {0x00,
     "It worked. In DISCONNECT: a normal end, and the Will is not published. In SUBACK: granted at QoS 0."},
    {0x01, "The subscription is there, and gets messages at QoS 1 at most."},
    {0x02, "The subscription is there, and gets messages at up to QoS 2."},
    {0x04, "The client leaves in an orderly way, but wants its Will published."},
    {0x10, "The message was accepted, and nobody has subscribed to its topic."},
    {0x11, "There was no such subscription to end; nothing is wrong otherwise."},
    {0x18, "Authentication goes on: the other side's next AUTH is awaited."},
    {0x19, "The client begins to authenticate anew on the open connection."},
    {0x80, "It failed, and the sender does not want to say why, or has no code for it."},
    {0x81, "The packet cannot be read: a length, flag or string in it is not as the specification demands."},
    {0x82, "The packet can be read, but may not be sent there, then, or with these contents."},
    {0x83, "The packet is right, and this implementation does not take it for a reason of its own."},
    {0x84, "The server does not speak the protocol version of CONNECT."},
    {0x85, "The client id is well-formed, but the server does not allow it."},
    {0x86, "The server does not accept the user name or the password."},
    {0x87, "The client is known, but may not do this."},
    {0x88, "The MQTT server is not available now."},
    {0x89, "The server is busy: try again later."},
    {0x8A, "This client has been locked out by an administrator."},
    {0x8B, "The server is shutting down."},
    {0x8C, "The authentication method is not supported, or is another than the one in use."},
    {0x8D, "The server heard nothing for one and a half times the Keep Alive."},
    {0x8E, "Another connection came with the same client id and took the session over."},
    {0x8F, "The filter is well-formed, but the server does not allow this client to use it."},
    {0x90, "The topic name is well-formed, but the receiver does not accept it."},
    {0x91, "The packet identifier is in use already: the two sides' session states differ."},
    {0x92, "The packet identifier is not known: after a reconnect, that means that session states differ."},
    {0x93, "More unacknowledged QoS 1 and 2 messages arrived than Receive Maximum allows."},
    {0x94, "The Topic Alias is 0, above the receiver's maximum, or was never set."},
    {0x95, "The packet is larger than Maximum Packet Size allows."},
    {0x96, "Data came faster than the receiver permits."},
    {0x97, "A limit that an administrator or the implementation has set is exceeded."},
    {0x98, "An administrator ended the connection."},
    {0x99, "The payload is not of the form that its Payload Format Indicator says."},
    {0x9A, "The server keeps no retained messages."},
    {0x9B, "The QoS is above the server's Maximum QoS."},
    {0x9C, "Use another server for now; Server Reference may say which."},
    {0x9D, "The server has moved for good; Server Reference may say where."},
    {0x9E, "The server has no shared subscriptions."},
    {0x9F, "Connections are being made too fast."},
    {0xA0, "The connection has lasted as long as it is allowed to."},
    {0xA1, "The server does not support Subscription Identifiers."},
    {0xA2, "The server does not support filters with wildcards."},
};

constexpr Words properties[] = {
    {1, "1: the payload is UTF-8 text; 0 or absent: bytes of any kind."},
    {2, "Seconds after which the message is worth nothing; a server sends on what is left of them."},
    {3, "What the payload is, as sender and receiver agree; usually a MIME type."},
    {8, "The topic for the answer to this request."},
    {9, "Bytes that the answer repeats, so that its request is known."},
    {11,
     "In SUBSCRIBE: a number for its subscriptions, from 1. In PUBLISH from a server: those of the "
     "subscriptions that it matches."},
    {17, "Seconds that the session is kept after the connection ends; 0: none; 4294967295: for ever."},
    {18, "The client id that the server gives to a client that came without one."},
    {19, "The Keep Alive that the client has to use instead of its own."},
    {21, "The name of the method of enhanced authentication."},
    {22, "What the method of authentication says."},
    {23, "0: the client wants no Reason String and no User Property but in PUBLISH, CONNACK and DISCONNECT."},
    {24, "Seconds that the server waits with the Will, during which the client may come back."},
    {25, "1: the client asks for Response Information."},
    {26, "A basis for the Response Topics that the client makes."},
    {28, "Another server that the client can use."},
    {31, "The reason in a sentence for people; not for programs."},
    {33,
     "How many QoS 1 and 2 messages may be unacknowledged at its sender's; 65535 if it is absent, and never "
     "0."},
    {34, "The highest Topic Alias that its sender takes; 0 or absent: none."},
    {35,
     "A number for the topic: with a topic it is set, without one it is used. Of one direction of one "
     "connection."},
    {36, "0 or 1: the highest QoS of the server; absent: 2."},
    {37, "0: the server takes no retained messages."},
    {38, "A name and a value that the applications agree on; their order is kept."},
    {39, "The largest packet that its sender takes, in bytes; absent: no limit but the protocol's."},
    {40, "0: filters with wildcards are not supported."},
    {41, "0: Subscription Identifiers are not supported."},
    {42, "0: shared subscriptions are not supported."},
};

constexpr Words packets[] = {
    {1,
     "The client's first packet, once per connection: version, client id, credentials, Keep Alive, Will. "
     "Answer: CONNACK."},
    {2,
     "The server's first packet: accepted or refused, whether there is a session, and the server's limits."},
    {3, "A message, either way. QoS 1 is answered by PUBACK, QoS 2 by PUBREC, QoS 0 by nothing."},
    {4, "A QoS 1 message has arrived."},
    {5,
     "A QoS 2 message has arrived: the first answer of three. A reason code of 0x80 or above ends the "
     "exchange."},
    {6, "The sender of a QoS 2 message lets go of it. Answer: PUBCOMP. Its fixed header's flags are 2."},
    {7, "The end of a QoS 2 exchange."},
    {8,
     "The client asks for messages by one or more topic filters. Answer: SUBACK. Its fixed header's flags "
     "are 2."},
    {9,
     "One code for each filter of SUBSCRIBE, in its order: the QoS that was granted, or why there is none."},
    {10,
     "The client wants no more messages by these filters. Answer: UNSUBACK. Its fixed header's flags are 2."},
    {11, "UNSUBSCRIBE was carried out; from 5.0 on with one code for each filter."},
    {12, "The client shows that it is there. Answer: PINGRESP."},
    {13, "The server shows that it is there."},
    {14,
     "The last packet of a connection: before 5.0 only of a client, and with it the Will is dropped; in 5.0 "
     "of either side, with a reason."},
    {15, "A step of enhanced authentication, at the beginning or later. 5.0 only."},
};

std::string_view find(std::span<const Words> table, unsigned number) {
  const auto found = std::ranges::find(table, number, &Words::first);
  return found == table.end() ? std::string_view{} : found->second;
}

}  // namespace

std::string_view words_of_reason(unsigned code) { return find(reasons, code); }
std::string_view words_of_property(unsigned id) { return find(properties, id); }
std::string_view words_of_packet(unsigned type) { return find(packets, type); }

}  // namespace mq::spy
