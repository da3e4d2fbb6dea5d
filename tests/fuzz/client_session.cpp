// A ClientSession under bytes from a server that says anything, cut anywhere, between calls of its owner
// and steps of time. The first byte chooses version and configuration; then each step is a byte that
// says what happens, and what it needs.
#include <mqtt/session/client_session.hpp>

#include "session_input.hpp"

namespace mqtt {
namespace {

using fuzz::require;

class Owner final : public SessionHandler {
 public:
  explicit Owner(std::uint8_t setup)
      : version_{setup % 3 == 0   ? Version::v5
                 : setup % 3 == 1 ? Version::v3_1_1
                                  : Version::v3_1},
        session{pool_,
                {.ack_mode = setup & 0x10 ? AckMode::manual : AckMode::automatic,
                 .alias_policy = setup & 0x20 ? AliasPolicy::when_room : AliasPolicy::none}},
        clean_{(setup & 0x40) != 0},
        authenticates_{(setup & 0x80) != 0} {
    if (version_ == Version::v5 && (setup & 0x08) != 0) session.set_mechanism(&mechanism_);
  }

  void connect(TimePoint now) {
    ConnectOptions options;
    options.version = version_;
    options.client_id = "c";
    options.clean_start = clean_;
    options.keep_alive = 10;
    if (version_ == Version::v5) {
      options.properties.add(PropertyId::receive_maximum, 3);
      options.properties.add(PropertyId::topic_alias_maximum, 2);
      options.properties.add(PropertyId::maximum_packet_size, 2000);
      options.properties.add(PropertyId::session_expiry_interval, 100);
      if (authenticates_) options.properties.add(PropertyId::authentication_method, "M");
    }
    require(session.connect(now, options).has_value());
  }

  void on_message(const PublishView& message, AckToken token) override {
    require(!message.topic.empty());
    require(token.needs_ack() == (message.qos != QoS::at_most_once));
    if (token.needs_ack()) tokens_.push_back(token);
    if (tokens_.size() > 100) tokens_.erase(tokens_.begin());
    if (message.payload.size() == 3) (void)session.publish({}, {.qos = message.qos, .topic = "echo"}, {});
    if (message.payload.size() == 4) (void)session.disconnect({});
  }
  void on_published(PacketId id, ReasonCode, PropertiesView) override { require(id != 0); }

  void ack(TimePoint now, std::uint8_t which) {
    if (!tokens_.empty()) (void)session.ack(now, tokens_[which % tokens_.size()]);
  }

 private:
  ChunkPool pool_;
  Version version_;
  std::vector<AckToken> tokens_;

 public:
  ClientSession session;

 private:
  /// Answers by what it is asked, and sometimes not.
  class Mechanism final : public AuthMechanism {
   public:
    std::string_view method() const override { return "M"; }
    std::string begin() override { return "one"; }
    Result<std::string> answer(std::string_view data) override {
      if (data.size() % 4 == 3) return fail(ErrorDomain::authentication, 0, "wrong");
      return std::string{data};
    }
    Result<void> finish(std::string_view data) override {
      if (data.size() % 4 == 3) return fail(ErrorDomain::authentication, 0, "wrong");
      return {};
    }
  };

  Mechanism mechanism_;
  bool clean_;
  bool authenticates_;
};

void subscribe(ClientSession& session, TimePoint now) {
  SubscriptionList list;
  list.add("a/#", {.qos = QoS::at_least_once});
  (void)session.subscribe(now, list.view());
}

void check(ClientSession& session) {
  if (session.wants_close()) require(!session.connected() && !session.next_deadline());
  if (session.connected()) require(session.send_quota() <= session.limits().receive_maximum);
  require(session.unacknowledged() <= 65'535u + 3);
}

void step(Owner& owner, fuzz::Input& input, TimePoint& now) {
  ClientSession& session = owner.session;
  const std::uint8_t action = input.byte();
  switch (action >> 4) {
    case 0: now += std::chrono::seconds{action}; return session.on_time(now, owner);
    case 1: (void)session.publish(now, {.qos = static_cast<QoS>(action % 3), .topic = "a/b"}, {}); return;
    case 2: return owner.ack(now, input.byte());
    case 3: return subscribe(session, now);
    case 4: (void)session.ping(now); return;
    case 5: return fuzz::write_some(session.output(), input.byte() * std::size_t{16});
    case 6:
      if ((action & 2) != 0) return void(session.re_authenticate(now));
      (void)session.auth(now, action & 1 ? ReasonCode::re_authenticate : ReasonCode::continue_authentication,
                         {});
      return;
    case 7:
      session.on_transport_closed(now);
      require(session.output().empty() && !session.next_deadline());
      return owner.connect(now);
    case 8: (void)session.disconnect(now); return;
    case 9: return action & 1 ? session.pause_reading(now) : session.resume_reading(now);
    default: return session.receive(now, input.take(1 + input.byte()), owner);
  }
}

}  // namespace
}  // namespace mqtt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mqtt::fuzz::Input input{{data, size}};
  mqtt::Owner owner{input.byte()};
  mqtt::TimePoint now{};
  owner.connect(now);
  while (!input.empty()) {
    mqtt::step(owner, input, now);
    mqtt::check(owner.session);
  }
  return 0;
}
