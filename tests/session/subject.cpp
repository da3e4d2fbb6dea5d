#include "subject.hpp"

#include <fmt/format.h>

#include <mqtt/session/scram_mechanism.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::test {
namespace {

/// "message" and the fields of a packet, without the packet's name.
std::string event(std::string_view name, const PacketView& packet) {
  const std::string text = describe(packet);
  const auto space = text.find(' ');
  return std::string{name} + (space == std::string::npos ? "" : text.substr(space));
}

/// SCRAM is that of RFC 7677, with the same nonce each time.
std::unique_ptr<AuthMechanism> make_mechanism(const std::string& text) {
  if (text.empty()) return nullptr;
  const auto parts = split(text.substr(text.find('=') + 1), ':');
  if (text.starts_with("fixed=")) return std::make_unique<FixedMechanism>(parts[0], parts[1]);
  return std::make_unique<ScramMechanism>("SCRAM-SHA-256", parts[0], parts[1],
                                          [nonce = parts[2]] { return nonce; });
}

/// Both roles read their commands' fields as those of a packet.
class Common : public Subject {
 public:
  Common(Version version, const SubjectConfig& config) : config_{config}, version_{version} {}

 protected:
  template <class View, class Call>
  Result<void> with(std::string_view packet_name, const std::string& fields, Call call) {
    std::string problem;
    const auto packet = parse_packet(fmt::format("{} {}", packet_name, fields), version_, problem);
    if (!packet) return fail(ErrorDomain::url, 0, problem);
    return call(std::get<View>(packet->view));
  }
  void message(const PublishView& publish, AckToken token) {
    if (token.needs_ack()) tokens_.push_back(token);
    events.push_back(event("message", publish));
  }
  void published(PacketId id, ReasonCode reason, PropertiesView properties) {
    events.push_back(event("published", PubackView{{id, reason, properties}}));
  }
  /// "1 rc=0x87 …": the first QoS 1 or 2 message that came.
  template <class Session>
  Result<void> ack(Session& session, TimePoint now, const std::string& rest) {
    const auto parts = split(rest, ' ');
    const auto which = parse_number<std::size_t>(parts[0]);
    if (!which || *which == 0 || *which > tokens_.size()) return fail(ErrorDomain::url, 0, "no such message");
    return with<PubackView>("PUBACK", rest.substr(parts[0].size()), [&](const PubackView& ack) {
      return session.ack(now, tokens_[*which - 1], ack.reason, ack.properties);
    });
  }
  template <class T>
  static Result<void> plain(const Result<T>& result) {
    if (!result) return std::unexpected(result.error());
    return {};
  }

  SubjectConfig config_;
  Version version_;
  ChunkPool pool_;
  std::vector<AckToken> tokens_;
};

class Client final : public Common, public SessionHandler {
 public:
  Client(Version version, const SubjectConfig& config)
      : Common{version, config},
        session_{pool_,
                 {.ack_mode = config.ack_mode,
                  .alias_policy = config.alias_policy,
                  .send_window = config.window,
                  .first_packet_id = config.first_packet_id}},
        mechanism_{make_mechanism(config.mechanism)} {
    session_.set_mechanism(mechanism_.get());
  }

  bool command(const std::string& verb, const std::string& rest, TimePoint now,
               Result<void>& result) override {
    if (verb == "connect")
      result = connect(rest, now);
    else if (verb == "publish")
      result = publish(rest, now);
    else if (verb == "subscribe")
      result = with<SubscribeView>("SUBSCRIBE", rest, [&](const SubscribeView& s) {
        return plain(session_.subscribe(now, s.subscriptions, s.properties));
      });
    else if (verb == "unsubscribe")
      result = with<UnsubscribeView>("UNSUBSCRIBE", rest, [&](const UnsubscribeView& u) {
        return plain(session_.unsubscribe(now, u.filters, u.properties));
      });
    else if (verb == "ack")
      result = ack(session_, now, rest);
    else if (verb == "ping")
      result = session_.ping(now);
    else if (verb == "reauth")
      result = session_.re_authenticate(now);
    else if (verb == "forget")
      session_.forget_session();
    else if (verb == "auth")
      result = with<AuthView>("AUTH", rest,
                              [&](const AuthView& a) { return session_.auth(now, a.reason, a.properties); });
    else if (verb == "disconnect")
      result = with<DisconnectView>("DISCONNECT", rest, [&](const DisconnectView& d) {
        return session_.disconnect(now, d.reason, d.properties);
      });
    else
      return false;
    return true;
  }
  void receive(TimePoint now, Bytes bytes) override { session_.receive(now, bytes, *this); }
  void on_time(TimePoint now) override { session_.on_time(now, *this); }
  void close(TimePoint now) override { session_.on_transport_closed(now); }
  OutBuffer& output() override { return session_.output(); }
  Deadline next_deadline() const override { return session_.next_deadline(); }
  const CloseInfo* close_info() const override { return session_.close_info(); }

  std::optional<std::string> look(const std::string& name) const override {
    const ServerLimits& limits = session_.limits();
    if (name == "quota") return std::to_string(session_.send_quota());
    if (name == "in_flight") return std::to_string(session_.in_flight());
    if (name == "unacked") return std::to_string(session_.unacknowledged());
    if (name == "requests") return std::to_string(session_.requests_outstanding());
    if (name == "pings") return std::to_string(session_.pings_outstanding());
    if (name == "client_id") return session_.client_id();
    if (name == "keep_alive") return std::to_string(limits.keep_alive);
    if (name == "session_expiry") return std::to_string(limits.session_expiry_interval);
    return std::nullopt;
  }

  void on_connack(const ConnackView& c) override { events.push_back(event("connack", c)); }
  void on_message(const PublishView& publish, AckToken token) override { message(publish, token); }
  void on_published(PacketId id, ReasonCode reason, PropertiesView p) override { published(id, reason, p); }
  void on_subscribed(PacketId, const SubackView& s) override { events.push_back(event("subscribed", s)); }
  void on_unsubscribed(PacketId, const UnsubackView& u) override {
    events.push_back(event("unsubscribed", u));
  }
  void on_pong() override { events.emplace_back("pong"); }
  void on_auth(const AuthView& a) override { events.push_back(event("auth", a)); }
  void on_disconnect(const DisconnectView& d) override { events.push_back(event("disconnect", d)); }

 private:
  Result<void> connect(const std::string& fields, TimePoint now) {
    // "strict" holds the server to having no session where we have none.
    const bool strict = fields.starts_with("strict");
    return with<ConnectView>("CONNECT", strict ? fields.substr(6) : fields, [&](const ConnectView& c) {
      ConnectOptions options;
      options.version = c.version;
      options.client_id = c.client_id;
      options.clean_start = c.clean_start;
      options.keep_alive = c.keep_alive;
      options.properties = Properties{c.properties};
      options.resumes_earlier_process = !strict;
      if (c.user_name) options.user_name = *c.user_name;
      if (c.password) options.password = to_string(*c.password);
      if (c.will)
        options.will = Will{std::string{c.will->topic}, to_string(c.will->payload), c.will->qos,
                            c.will->retain, Properties{c.will->properties}};
      return session_.connect(now, options);
    });
  }
  Result<void> publish(const std::string& fields, TimePoint now) {
    return with<PublishView>("PUBLISH", fields, [&](const PublishView& p) {
      return plain(session_.publish(now, p, SharedBytes{p.payload, nullptr}));
    });
  }

  ClientSession session_;
  std::unique_ptr<AuthMechanism> mechanism_;
};

class Server final : public Common, public ServerHandler {
 public:
  Server(Version version, const SubjectConfig& config, TimePoint now) : Common{version, config} { open(now); }

  bool command(const std::string& verb, const std::string& rest, TimePoint now,
               Result<void>& result) override {
    if (verb == "open")
      open(now);
    else if (verb == "leave")
      leave();
    else if (verb == "pause")
      session_->pause_input();
    else if (verb == "resume")
      session_->resume_input(now, *this);
    else if (verb == "accept")
      result = accept(rest, now);
    else if (verb == "refuse")
      result = with<DisconnectView>("DISCONNECT", rest, [&](const DisconnectView& d) {
        return session_->refuse(now, d.reason, d.properties);
      });
    else if (verb == "deliver")
      result = with<PublishView>("PUBLISH", rest, [&](const PublishView& p) {
        return plain(session_->deliver(now, p, SharedBytes{p.payload, nullptr}, expiry_of(p, now)));
      });
    else if (verb == "suback")
      result = with<SubackView>("SUBACK", rest, [&](const SubackView& s) {
        return session_->suback(now, s.packet_id, s.reasons, s.properties);
      });
    else if (verb == "unsuback")
      result = with<UnsubackView>("UNSUBACK", rest, [&](const UnsubackView& s) {
        return session_->unsuback(now, s.packet_id, s.reasons, s.properties);
      });
    else if (verb == "ack")
      result = ack(*session_, now, rest);
    else if (verb == "auth")
      result = with<AuthView>("AUTH", rest,
                              [&](const AuthView& a) { return session_->auth(now, a.reason, a.properties); });
    else if (verb == "disconnect")
      result = with<DisconnectView>("DISCONNECT", rest, [&](const DisconnectView& d) {
        return session_->disconnect(now, d.reason, d.properties);
      });
    else
      return false;
    return true;
  }
  void receive(TimePoint now, Bytes bytes) override { session_->receive(now, bytes, *this); }
  void on_time(TimePoint now) override { session_->on_time(now, *this); }
  void close(TimePoint now) override {
    session_->on_transport_closed(now);
    if (!left_) leave();
  }
  OutBuffer& output() override { return session_->output(); }
  Deadline next_deadline() const override { return session_->next_deadline(); }
  const CloseInfo* close_info() const override { return session_->close_info(); }

  std::optional<std::string> look(const std::string& name) const override {
    if (name == "quota") return std::to_string(session_->send_quota());
    if (name == "in_flight") return std::to_string(session_->in_flight());
    if (name == "unacked") return std::to_string(session_->unacknowledged());
    if (name == "will") return session_->will_is_due() ? "due" : "none";
    if (name == "wants_input") return session_->wants_input() ? "yes" : "no";
    return std::nullopt;
  }

  void on_connect(const ConnectView& c) override { events.push_back(event("connect", c)); }
  void on_message(const PublishView& publish, AckToken token) override {
    message(publish, token);
    if (config_.ack_mode == AckMode::automatic) (void)session_->ack({}, token);
  }
  void on_published(PacketId id, ReasonCode reason, PropertiesView p) override { published(id, reason, p); }
  void on_subscribe(const SubscribeView& s) override { events.push_back(event("subscribe", s)); }
  void on_unsubscribe(const UnsubscribeView& u) override { events.push_back(event("unsubscribe", u)); }
  void on_auth(const AuthView& a) override { events.push_back(event("auth", a)); }
  void on_disconnect(const DisconnectView& d) override { events.push_back(event("disconnect", d)); }

 private:
  static Deadline expiry_of(const PublishView& publish, TimePoint now) {
    const auto interval = publish.properties.number(PropertyId::message_expiry_interval);
    return interval ? now + std::chrono::seconds{*interval} : Deadline{};
  }
  void leave() {
    if (auto kept = session_->take_state()) state_ = std::move(*kept);
    left_ = true;
  }
  void open(TimePoint now) {
    left_ = false;
    server_config_ = {.held_input_max = config_.held_input_max,
                      .alias_policy = config_.alias_policy,
                      .outgoing_aliases_max = config_.outgoing_aliases_max,
                      .enforce_receive_maximum = config_.enforce_receive_maximum,
                      .send_window = config_.window};
    session_ = std::make_unique<ServerSession>(pool_, now, server_config_);
  }
  Result<void> accept(const std::string& fields, TimePoint now) {
    return with<ConnackView>("CONNACK", fields, [&](const ConnackView& c) {
      Acceptance acceptance;
      acceptance.session_present = c.session_present;
      acceptance.properties = Properties{c.properties};
      if (c.session_present) acceptance.state = std::move(state_);
      return session_->accept(now, std::move(acceptance), *this);
    });
  }

  ServerConfig server_config_;
  std::unique_ptr<ServerSession> session_;
  SessionState state_;
  bool left_ = false;  // its state was taken
};

}  // namespace

std::unique_ptr<Subject> make_client(Version version, const SubjectConfig& config) {
  return std::make_unique<Client>(version, config);
}

std::unique_ptr<Subject> make_server(Version version, const SubjectConfig& config, TimePoint now) {
  return std::make_unique<Server>(version, config, now);
}

}  // namespace mqtt::test
