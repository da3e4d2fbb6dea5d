#pragma once
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <mqtt/session/client_session.hpp>
#include <support/dice.hpp>

#include "broker_test.hpp"

// For random histories: clients that publish numbered messages and note what comes.

namespace mqtt::test {

constexpr int topics = 3;

/// What is under way from one publisher: topic and number say which message it is.
struct Note {
  int topic = 0;
  int number = 0;
  QoS qos = QoS::at_most_once;
};

/// A ClientSession over a Peer: the other end of the protocol is ours, too.
class Member final : public Peer, private SessionHandler {
 public:
  Member(Rig& rig, int number, Version version, bool keeps_session)
      : Peer{rig}, session_{pool_}, version_{version}, number_{number}, keeps_session_{keeps_session} {}

  void connect(Dice& dice) {
    ConnectOptions options;
    options.version = version_;
    options.client_id = name();
    options.clean_start = !keeps_session_;
    options.keep_alive = 0;
    if (version_ == Version::v5) {
      if (keeps_session_) options.properties.add(PropertyId::session_expiry_interval, 1'000'000);
      if (dice.one_in(2))
        options.properties.add(PropertyId::receive_maximum, static_cast<std::uint32_t>(1 + dice.below(4)));
      if (dice.one_in(3)) options.properties.add(PropertyId::topic_alias_maximum, 2);
    }
    open();
    ASSERT_TRUE(session_.connect(rig().now, options));
  }
  void subscribe() {
    SubscriptionList list;
    list.add("t/#", {.qos = QoS::exactly_once});
    ASSERT_TRUE(session_.subscribe(rig().now, list.view()));
  }
  /// False: it has no room for one more now.
  bool publish(int topic, QoS qos, std::string padding) {
    if (!session_.connected() || (qos != QoS::at_most_once && session_.send_quota() == 0)) return false;
    const Note note{topic, ++published[topic], qos};
    PublishView header;
    header.qos = qos;
    const std::string topic_name = fmt::format("t/{}", topic);
    header.topic = topic_name;
    const std::string payload = fmt::format("{} {} {} {}", number_, note.number, to_number(qos), padding);
    const auto id = session_.publish(rig().now, header, {as_bytes(payload), nullptr});
    EXPECT_TRUE(id);
    if (id && *id != 0) pending_[*id] = note;
    return id.has_value();
  }
  void disconnect() { (void)session_.disconnect(rig().now); }

  [[nodiscard]] std::string name() const { return fmt::format("member-{}-with-a-long-name", number_); }
  [[nodiscard]] bool connected() const { return session_.connected(); }
  [[nodiscard]] bool idle() { return pending_.empty() && session_.output().empty(); }
  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] bool keeps_session() const { return keeps_session_; }

  /// Of each publisher and topic, which QoS 1 and 2 messages came, in order of arrival.
  std::map<std::pair<int, int>, std::vector<Note>> heard;
  std::map<int, int> published;            // by topic: how many
  std::map<int, std::vector<Note>> taken;  // by topic: those that the broker acknowledged
  std::size_t losses = 0;                  // sessions that the broker no longer had
  bool store_fails = false;                // the broker may say that it cannot keep anything now

 private:
  std::string take_output(std::size_t size) override {
    std::string bytes;
    OutBuffer& out = session_.output();
    iovec part{};
    while (bytes.size() < size && out.gather({&part, 1}) > 0) {
      const std::size_t count = std::min(part.iov_len, size - bytes.size());
      bytes.append(static_cast<const char*>(part.iov_base), count);
      out.consume(count);
    }
    return bytes;
  }
  void on_bytes(Bytes bytes) override {
    session_.receive(rig().now, bytes, *this);
    const auto& info = session_.close_info();
    if (info && info->error) ADD_FAILURE() << info->error->clause << " " << info->error->what;
  }
  void on_closed() override { session_.on_transport_closed(rig().now); }

  void on_connack(const ConnackView& connack) override {
    if (is_error(connack.reason)) {
      EXPECT_TRUE(store_fails) << "refused";
      return;
    }
    if (!connack.session_present && keeps_session_ && subscribed_) ++losses;
    if (!connack.session_present || !subscribed_) subscribe();
  }
  void on_subscribed(PacketId, const SubackView& suback) override {
    subscribed_ = !is_error(static_cast<ReasonCode>(suback.reasons[0]));
  }
  void on_message(const PublishView& publish, AckToken) override {
    Note note;
    int from = 0, qos = 0;
    const std::string text = to_string(publish.payload);
    ASSERT_EQ(std::sscanf(text.c_str(), "%d %d %d", &from, &note.number, &qos), 3);
    note.topic = publish.topic.back() - '0';
    note.qos = static_cast<QoS>(qos);
    EXPECT_EQ(publish.qos, note.qos);
    heard[{from, note.topic}].push_back(note);
  }
  void on_published(PacketId id, ReasonCode reason, PropertiesView) override {
    EXPECT_TRUE(!is_error(reason) || (store_fails && reason == ReasonCode::quota_exceeded));
    if (!is_error(reason)) taken[pending_[id].topic].push_back(pending_[id]);
    pending_.erase(id);
  }

  ChunkPool pool_;
  ClientSession session_;
  Version version_;
  int number_;
  bool keeps_session_;
  bool subscribed_ = false;
  std::map<PacketId, Note> pending_;
};

}  // namespace mqtt::test
