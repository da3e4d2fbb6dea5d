#pragma once
#include <mqtt/codec/encode.hpp>
#include <mqtt/session/client_session.hpp>

namespace mqtt::test {

/// Ignores everything.
class QuietHandler : public SessionHandler {
 public:
  virtual ~QuietHandler() = default;
  void on_message(const PublishView&, AckToken) override {}
  void on_published(PacketId, ReasonCode, PropertiesView) override {}
};

inline std::string encoded(const PacketView& packet, Version version = Version::v5) {
  ChunkPool pool;
  OutBuffer out{pool};
  encode(out, packet, version);
  iovec part{};
  (void)out.gather({&part, 1});
  return {static_cast<const char*>(part.iov_base), part.iov_len};
}

inline void feed(ClientSession& session, SessionHandler& handler, const PacketView& packet) {
  const std::string bytes = encoded(packet, session.version());
  session.receive({}, as_bytes(bytes), handler);
}

/// Connected; the server said `connack`.
inline void connect(ClientSession& session, SessionHandler& handler, const ConnackView& connack = {}) {
  ConnectOptions options;
  options.client_id = "c";
  ASSERT_TRUE(session.connect({}, options));
  feed(session, handler, connack);
  ASSERT_TRUE(session.connected());
  session.output().clear();
}

}  // namespace mqtt::test
