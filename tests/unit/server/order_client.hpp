#pragma once
#include <array>
#include <map>
#include <memory>
#include <mqtt/codec/framer.hpp>
#include <mqtt/codec/packet.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <optional>
#include <set>
#include <string>
#include <support/dice.hpp>
#include <support/server_watch.hpp>
#include <vector>

// Clients that publish numbered messages, and check what comes by what they know of each other: they all live
// in one thread, so it is certain what was sent before an answer had come.

namespace mqtt::server::test::order {

using mqtt::test::Dice;

inline constexpr std::array<std::string_view, 4> names{"o/a", "o/b", "o/a/x", "o/b/x"};
inline constexpr std::array<std::string_view, 8> filters{"o/a",   "o/b",   "o/+",   "o/#",
                                                         "+/a/#", "o/+/x", "o/a/x", "#"};
inline constexpr std::uint32_t small_packets = 20'000;  // the Maximum Packet Size of some
template <class T>
using PerTopic = std::array<T, names.size()>;

/// One message as its publisher knows it; its number is its place, from 1.
struct Sent {
  QoS qos = QoS::at_most_once;
  bool retain = false;
  std::size_t size = 0;
  bool will = false;
  bool exact = false;  // nobody subscribes any more: who gets it how is certain
};

/// What a receiver knows of one publisher and topic.
struct Track {
  std::size_t last = 0;     // came last
  std::size_t due = 0;      // from here on all have to come; 0: none
  std::size_t ceiling = 0;  // nothing newer may come unless a filter is there
};

struct Filter {
  enum class State { asked, active, leaving };
  std::string_view text;
  SubscriptionOptions options;
  std::uint32_t identifier = 0;
  State state = State::asked;
};

class Client;

/// What clients have in common.
struct Common {
  net::Loop loop;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::string> story;
  /// By publisher and topic: what has come to the members of the shared subscription.
  std::map<std::pair<std::size_t, std::size_t>, std::set<std::size_t>> shared;
  bool failed = false;

  void tell(std::string what) { story.push_back(std::move(what)); }
  /// The first fault ends the history, and is told with what was done last.
  void fail(const std::string& what);
};

/// How a client is, throughout.
struct Kind {
  Version version = Version::v5;
  bool publishes = false;
  bool shares = false;        // has the shared subscription and no other
  bool dresses = false;       // some of its messages have properties
  bool aliases = false;       // its messages have Topic Aliases
  bool as_published = false;  // so RETAIN says nothing of when a message was sent: it asks for no old ones
  std::uint32_t packet_max = 0;
  std::uint32_t receive_maximum = 0;
  std::uint32_t alias_maximum = 0;
  std::optional<std::size_t> will;  // topic
};

/// One connection. Who comes back is another one, with the same client id.
class Client final : public net::StreamHandler {
 public:
  Client(Common& common, std::size_t number, std::string client_id, Kind what, std::uint64_t seed,
         std::unique_ptr<net::ByteStream> stream)
      : kind{what},
        id{std::move(client_id)},
        common_{common},
        number_{number},
        dice_{seed},
        stream_{std::move(stream)} {
    stream_->set_handler(this);
    connect();
  }

  void publish(std::size_t topic, QoS qos, bool retain, std::size_t size, bool exact);
  void ping() { ask(PingreqView{}); }
  void subscribe(Filter filter);
  void unsubscribe(std::size_t index);
  /// A client comes, who may be this one, and may publish.
  void meet(std::size_t publisher);
  void flush(std::size_t limit = SIZE_MAX);
  void pause();
  void resume();
  void hold_acks() { holds_acks_ = true; }
  /// DISCONNECT; then the server closes.
  void leave();
  /// No DISCONNECT: there is a Will.
  void end_output();
  /// At once. `all_arrives`: nothing is on its way to it, so TCP does not take back what it has sent.
  void close(bool all_arrives);
  /// Another one comes with its client id.
  void give_way() { part(false); }

  [[nodiscard]] bool here() const { return connected_ && !parting_; }
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] bool busy() const { return busy_; }
  [[nodiscard]] bool has_to_read() const { return owed_ > 0 || !connected_ || written_ < out_.size(); }
  [[nodiscard]] std::string name() const;
  /// The first thing that has to come and has not.
  [[nodiscard]] std::string find_missing();
  [[nodiscard]] const PerTopic<std::vector<Sent>>& sent() const { return sent_; }
  [[nodiscard]] std::size_t count_sent() const;

  const Kind kind;
  const std::string id;
  std::vector<Filter> held;  // its subscriptions
  bool has_subscribed = false;
  bool tail_is_lost = false;  // what it sent last need not arrive
  std::size_t received = 0;   // PUBLISH packets

 private:
  void on_data(Bytes bytes) override;
  void on_writable() override { flush(); }
  void on_end() override { end("the server ended the connection"); }
  void on_error(Error error) override { end(error.context); }
  void end(std::string_view how);

  void connect();
  void say(const PacketView& packet, bool acknowledges = false);
  void ask(const PacketView& packet);
  void part(bool all_arrives);
  void on_packet(const PacketView& packet);
  void on_publish(const PublishView& publish);
  void on_suback(const SubackView& suback);
  void on_unsuback();
  void let_others_publish(std::string_view filter);
  void take(std::size_t from, std::size_t topic, std::size_t number, const PublishView& publish);
  void check_manner(const Sent& sent, std::size_t from, std::size_t topic, const PublishView& publish);
  [[nodiscard]] bool covers(std::size_t from, std::size_t topic, bool certainly) const;
  [[nodiscard]] bool takes(const Sent& sent) const {
    return kind.packet_max == 0 || sent.size < kind.packet_max;
  }
  void fail(const std::string& what) { common_.fail("client " + name() + ": " + what); }

  Common& common_;
  std::size_t number_;
  Dice dice_;
  std::unique_ptr<net::ByteStream> stream_;
  Framer framer_;
  mqtt::test::ServerWatch watch_;
  std::string out_, acks_;
  std::size_t written_ = 0;  // of out_
  std::vector<PerTopic<Track>> tracks_;
  PerTopic<std::vector<Sent>> sent_;
  std::map<std::uint32_t, std::string> names_of_aliases_;
  PacketId packet_id_ = 0;
  std::size_t owed_ = 0;  // answers
  bool busy_ = false;     // has asked for a subscription or its end
  bool connected_ = false, holds_acks_ = false, paused_ = false;
  bool parting_ = false, ends_output_ = false, over_ = false;
  std::string last_word_;
};

}  // namespace mqtt::server::test::order
