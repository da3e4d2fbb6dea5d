#include "broker_test.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/encode.hpp>

#include <session/packet_text.hpp>

namespace mqtt::test {
namespace {

/// More turns than any test needs: something goes round in circles.
constexpr int turns_max = 2'000'000;

/// First data, then "two", then in.
class Rounds final : public broker::AuthExchange {
 public:
  broker::AuthDecision step(std::string_view data) override {
    if (!std::exchange(asked_, true))
      return {.kind = broker::AuthDecision::Kind::challenge, .data = "second?"};
    if (data != "two") return broker::AuthDecision::refused(ReasonCode::bad_user_name_or_password);
    auto decision = broker::AuthDecision::allowed("rounder");
    decision.data = "welcome";
    decision.lasts = 1min;
    return decision;
  }

 private:
  bool asked_ = false;
};

std::string describe_close(const CloseInfo& info) {
  return fmt::format("{}/0x{:02x}", static_cast<int>(info.reason), static_cast<unsigned>(info.code));
}

}  // namespace

broker::AuthDecision FakeAuthenticator::authenticate(const ConnectView& connect,
                                                     const broker::ConnectionInfo&) {
  const std::string user{connect.user_name.value_or("")};
  const auto bad = broker::AuthDecision::refused(ReasonCode::bad_user_name_or_password);
  if (user == "bad") return bad;
  if (user == "slow")
    return broker::AuthDecision::later([bad, right = as_text(connect.password.value_or(Bytes{})) == "right"] {
      return right ? broker::AuthDecision::allowed("slow") : bad;
    });
  return broker::AuthDecision::allowed(user);
}

std::unique_ptr<broker::AuthExchange> FakeAuthenticator::begin(std::string_view method, std::string_view) {
  return method == "rounds" ? std::make_unique<Rounds>() : nullptr;
}

void RecordingStore::on_retained(std::string_view topic, const broker::MessagePtr& message) {
  calls.push_back(message ? fmt::format("retained {} {}", topic, as_text(message->payload()))
                          : fmt::format("retained {} -", topic));
}
void RecordingStore::on_session(const broker::SessionRecord& session) {
  names_[session.id] = session.client_id;
  std::string line = fmt::format("session {} {}", session.client_id, session.expiry_interval);
  if (!session.connected) line += " away";
  if (session.will) line += " will";
  calls.push_back(std::move(line));
}
void RecordingStore::on_session_ended(broker::SubscriberId session) {
  calls.push_back(fmt::format("ended {}", names_[session]));
}
void RecordingStore::on_subscribed(const broker::SubscriptionRecord& record) {
  calls.push_back(fmt::format("subscribed {} {}:{} {}{}", names_[record.session], record.subscription.filter,
                              to_number(record.subscription.options.qos), record.identifier,
                              record.replays ? " replays" : ""));
}
void RecordingStore::on_replay_sent(broker::SubscriberId session, std::string_view filter,
                                    std::uint64_t message) {
  calls.push_back(fmt::format("replay sent {} {} {}", names_[session], filter, message));
}
void RecordingStore::on_replayed(broker::SubscriberId session, std::string_view filter) {
  calls.push_back(fmt::format("replayed {} {}", names_[session], filter));
}
void RecordingStore::on_unsubscribed(broker::SubscriberId session, std::string_view filter) {
  calls.push_back(fmt::format("unsubscribed {} {}", names_[session], filter));
}
void RecordingStore::on_delivery(const broker::DeliveryRecord& delivery) {
  std::string line = fmt::format("delivery {} {} q{} {}", delivery.row, names_[delivery.session],
                                 to_number(delivery.qos), as_text(delivery.message->payload()));
  if (!delivery.share.empty()) line += fmt::format(" by {}", delivery.share);
  if (delivery.packet_id != 0) line += fmt::format(" sent {}", delivery.packet_id);
  calls.push_back(std::move(line));
}
void RecordingStore::on_sent(broker::SubscriberId session, std::uint64_t row, const broker::MessagePtr&,
                             PacketId id) {
  calls.push_back(fmt::format("sent {} {} {}", row, names_[session], id));
}
void RecordingStore::on_given_up(std::uint64_t row, const broker::MessagePtr&) {
  calls.push_back(fmt::format("given up {}", row));
}
void RecordingStore::on_taken_over(broker::SubscriberId session, PacketId id) {
  calls.push_back(fmt::format("taken over {} {}", names_[session], id));
}
void RecordingStore::on_finished(broker::SubscriberId session, PacketId id) {
  calls.push_back(fmt::format("finished {} {}", names_[session], id));
}
void RecordingStore::on_received(broker::SubscriberId session, PacketId id) {
  calls.push_back(fmt::format("received {} {}", names_[session], id));
}
void RecordingStore::on_released(broker::SubscriberId session, PacketId id) {
  calls.push_back(fmt::format("released {} {}", names_[session], id));
}
Result<void> RecordingStore::commit(TimePoint, broker::Urgency urgency) {
  const bool promised = urgency == broker::Urgency::promised;
  if (broken) return promised ? Result<void>{std::unexpected(no_room)} : Result<void>{};
  if (!calls.empty() && !calls.back().starts_with("commit"))
    calls.emplace_back(promised ? "commit!" : "commit");
  return {};
}

void RecordingEvents::on_connected(const broker::Identity& who, Version, bool session_present) {
  lines.push_back(
      fmt::format("connected {} user={}{}", who.client_id, *who.user, session_present ? " present" : ""));
}
void RecordingEvents::on_refused(const broker::ConnectionInfo&, const CloseInfo& info) {
  lines.push_back(fmt::format("refused {}", describe_close(info)));
}
void RecordingEvents::on_disconnected(const broker::Identity& who, const CloseInfo* info) {
  lines.push_back(
      fmt::format("disconnected {} {}", who.client_id, info ? describe_close(*info) : "without a word"));
}
void RecordingEvents::on_session_ended(std::string_view client_id) {
  lines.push_back(fmt::format("ended {}", client_id));
}
void RecordingEvents::on_dropped(std::string_view client_id, broker::DropReason reason, std::uint64_t count) {
  lines.push_back(fmt::format("dropped {} {} {}", client_id, broker::to_string(reason), count));
}

Rig::Rig(broker::BrokerConfig settings, std::uint64_t number)
    : config{std::move(settings)},
      seed{number},
      broker{pool, config, {authenticator, access, store, events}, number} {}

Rig::Rig(broker::BrokerConfig settings, std::uint64_t number, broker::Store& other)
    : config{std::move(settings)},
      seed{number},
      broker{pool, config, {authenticator, access, other, events}, number} {
  EXPECT_TRUE(broker.recover(now));
}

void Rig::restart(broker::Store& successors) {
  std::destroy_at(&broker);
  abandoned.clear();
  for (Peer* const peer : peers) peer->lose();
  std::construct_at(&broker, pool, config, broker::BrokerServices{authenticator, access, successors, events},
                    seed);
  const auto recovered = broker.recover(now);
  EXPECT_TRUE(recovered) << recovered.error().context;
}

void Rig::run() {
  bool moved = true;
  for (int turn = 0; moved; ++turn) {
    ASSERT_LT(turn, turns_max) << "bytes go round and round";
    moved = false;
    for (std::size_t i = 0; i < peers.size(); ++i) moved = peers[i]->step() || moved;
    moved = close_abandoned() || moved;
    moved = check_logins() || moved;
  }
  (void)broker.commit(now);  // a turn ends even if nobody is to be told
}

bool Rig::check_logins() {
  if (!checks_logins) return false;
  const auto next = broker.take_auth_work(now);
  if (next) broker.decide(now, next->ticket, next->work());
  return next.has_value();
}

/// Those that the broker is done with.
bool Rig::close_abandoned() {
  return std::erase_if(abandoned, [this](const auto& line) {
           if (!line->connection->wants_close()) return false;
           broker.close(now, *line->connection);
           return true;
         }) > 0;
}

void Rig::advance(Duration duration) {
  const TimePoint end = now + duration;
  (void)broker.commit(now);
  for (int turn = 0;; ++turn) {
    ASSERT_LT(turn, turns_max) << "a deadline does not go away";
    const Deadline next = broker.next_deadline();
    if (!next || *next > end) break;
    now = std::max(now, *next);
    broker.on_time(now);
    run();
  }
  now = end;
  run();
}

std::uint64_t Rig::dropped() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counters().dropped) sum += count;
  return sum;
}

Peer::Peer(Rig& rig) : rig_{rig} { rig.peers.push_back(this); }

Peer::~Peer() {
  if (transport_) rig_.broker.close(rig_.now, *transport_->connection);
  std::erase(rig_.peers, this);
}

void Peer::open() {
  ASSERT_FALSE(transport_);
  transport_ = std::make_unique<Transport>();
  transport_->connection = &rig_.broker.open(rig_.now, *transport_, {address, "memory", ""});
}

void Peer::cut() {
  if (!transport_) return;
  const auto transport = std::exchange(transport_, nullptr);
  rig_.broker.close(rig_.now, *transport->connection);
  on_closed();
}

void Peer::vanish() {
  if (!transport_) return;
  rig_.abandoned.push_back(std::exchange(transport_, nullptr));
  on_closed();
}

void Peer::lose() {
  if (!transport_) return;
  transport_.reset();
  on_closed();
}

void Peer::read(bool reads) {
  reads_ = reads;
  if (transport_) transport_->enlisted = transport_->enlisted || reads;
}

bool Peer::step() {
  const bool sent = send_some();
  return settle() || sent;
}

bool Peer::send_some() {
  if (!transport_ || transport_->paused) return false;
  const std::string bytes = take_output(chunk_max);
  if (bytes.empty()) return false;
  rig_.broker.receive(rig_.now, *transport_->connection, as_bytes(bytes));
  transport_->paused = !transport_->connection->wants_input();
  return true;
}

bool Peer::settle() {
  if (!transport_ || !std::exchange(transport_->enlisted, false)) return false;
  const bool committed = rig_.broker.commit(rig_.now).has_value();
  if (!committed && transport_->connection->has_promised()) {
    cut();
    return true;
  }
  const bool wrote = write_some();
  if (!transport_) return true;
  broker::Connection& connection = *transport_->connection;
  transport_->announced = false;
  if (wrote) rig_.broker.on_written(rig_.now, connection);
  rig_.broker.serviced(rig_.now, connection);
  transport_->paused = !connection.wants_input();
  if (connection.wants_close() && (connection.output().empty() || !reads_)) {
    cut();
    return true;
  }
  if (reads_ && !connection.output().empty()) transport_->enlisted = true;
  return true;
}

bool Peer::write_some() {
  OutBuffer& out = transport_->connection->output();
  if (!reads_ || out.empty()) return false;
  std::string bytes;
  iovec part{};
  while (bytes.size() < chunk_max && out.gather({&part, 1}) > 0) {
    const std::size_t size = std::min(part.iov_len, chunk_max - bytes.size());
    bytes.append(static_cast<const char*>(part.iov_base), size);
    out.consume(size);
  }
  on_bytes(as_bytes(bytes));
  return true;
}

void Client::connect(std::string_view fields) {
  cut();
  output_.clear();
  framer_ = Framer{};
  watch_ = {};
  received_.clear();
  open();
  send(fmt::format("CONNECT {}", fields));
}

void Client::enter(std::string_view fields) {
  connect(fields);
  const auto heard = take();
  ASSERT_FALSE(heard.empty()) << fields;
  ASSERT_THAT(heard[0], StartsWith("CONNACK"));
  ASSERT_EQ(heard[0].find("rc="), std::string::npos) << heard[0];
  received_.assign(heard.begin() + 1, heard.end());
}

void Client::queue(std::string_view line) {
  std::string problem;
  const auto packet = parse_packet(line, version_, problem);
  ASSERT_TRUE(packet) << problem;
  queue(packet->view);
}

void Client::queue(const PacketView& packet) {
  watch_.on_sent(packet);
  OutBuffer encoded{rig().pool};
  ASSERT_TRUE(encode(encoded, packet, version_));
  iovec part{};
  while (encoded.gather({&part, 1}) > 0) {
    output_.append(static_cast<const char*>(part.iov_base), part.iov_len);
    encoded.consume(part.iov_len);
  }
}

void Client::send(std::string_view line) {
  queue(line);
  rig().run();
}

void Client::send_bytes(std::string bytes) {
  output_ += bytes;
  rig().run();
}

void Client::subscribe(std::string_view filter_and_options, std::string_view properties) {
  queue(fmt::format("SUBSCRIBE id=60000 f={} {}", filter_and_options, properties));
  rig().run();
  const auto at = std::ranges::find_if(
      received_, [](const std::string& line) { return line.starts_with("SUBACK id=60000 rc=0x0"); });
  ASSERT_NE(at, received_.end()) << filter_and_options;
  received_.erase(at);
}

std::vector<std::string> Client::take() { return std::exchange(received_, {}); }

std::vector<std::string> Client::take_messages() {
  auto heard = take();
  std::erase_if(heard, [](const std::string& line) {
    return line.starts_with("PUBACK") || line.starts_with("PUBREC") || line.starts_with("PUBREL") ||
           line.starts_with("PUBCOMP");
  });
  return heard;
}

std::size_t Client::count(std::string_view prefix) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(received_, [&](const std::string& line) { return line.starts_with(prefix); }));
}

std::string Client::take_output(std::size_t size) {
  std::string part = output_.substr(0, size);
  output_.erase(0, size);
  return part;
}

void Client::on_bytes(Bytes bytes) {
  while (true) {
    const auto frame = framer_.next(bytes);
    ASSERT_TRUE(frame) << "the broker sent something that is no packet";
    if (!*frame) return;
    const auto packet = decode(**frame, {version_, Sender::server});
    ASSERT_TRUE(packet) << packet.error().what << " " << packet.error().clause;
    EXPECT_EQ(watch_.find_fault(*packet, (*frame)->bytes.size()), "") << describe(*packet);
    received_.push_back(describe(*packet));
    if (acknowledges) answer(*packet);
  }
}

void Client::answer(const PacketView& packet) {
  if (const auto* publish = std::get_if<PublishView>(&packet)) {
    if (publish->qos == QoS::at_least_once) queue(PubackView{{publish->packet_id, {}, {}}});
    if (publish->qos == QoS::exactly_once) queue(PubrecView{{publish->packet_id, {}, {}}});
  }
  if (const auto* pubrec = std::get_if<PubrecView>(&packet); pubrec && !is_error(pubrec->reason))
    queue(PubrelView{{pubrec->packet_id, {}, {}}});
  if (const auto* pubrel = std::get_if<PubrelView>(&packet)) queue(PubcompView{{pubrel->packet_id, {}, {}}});
}

void Client::on_closed() {
  output_.clear();
  received_.emplace_back("closed");
}

}  // namespace mqtt::test
