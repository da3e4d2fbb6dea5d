#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/broker/route.hpp>
#include <mqtt/net/shortcut.hpp>
#include <mqtt/server/sieve.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::server {

class Lane;
class Lanes;
class Way;

/// A broker::Route as the lanes have it. It does not change, but for its end.
struct LaneRoute {
  /// One thread, and what it has to do.
  struct Stop {
    Lanes* lanes;
    Way* way;  // there; null: it is the publisher's own
    const LaneRoute* route;
    std::vector<std::uint64_t> alike{};  // lanes whose clients get the packets as they are
    std::vector<std::uint64_t> other{};  // those of the other version
  };

  LaneRoute(const broker::Route& found);
  void add(Lane& publisher, Lane& receiver, Version version);

  broker::RouteValidity valid;
  Version version;
  std::size_t packet_size_max;  // as published
  std::size_t receivers = 0;
  std::vector<Stop> stops;
};

using LaneRoutePtr = std::shared_ptr<const LaneRoute>;

/// What a lane says at home.
enum class LaneWord : std::uint32_t {
  ask,      ///< for a route to the topic that comes along; nothing else comes before the answer
  report,   ///< a LaneReport
  slow,     ///< much waits for the client in its thread
  quiet,    ///< nothing does any more
  dropped,  ///< broker::RoutedCounts of what the client, which is slow, does not get, as memory is full
};

/// Of a connection that the server cuts off the last one may come too late to be counted.
struct LaneReport {
  TimePoint heard{};
  broker::RoutedCounts counts;
};

/// A carried connection in its thread: it routes what its client publishes at QoS 0, where the broker has
/// given it a route. All else goes home.
///
/// Order holds for what one client publishes to one topic, however the messages go:
/// - It asks for a topic's route when all that came before has gone home, and reads on when it is answered.
///   There is one if nothing for its receivers waits in the broker; what that has written is handed to their
///   threads before the answer is given. A message to the topic that goes home ends the route.
/// - What goes home later comes to the receivers' threads later (Mailbox::hand_over_after()).
/// - A thread does in order what it is handed, by whomever (Inbox).
class Lane final : public net::Shortcut {
 public:
  /// At home; so are lanes() and number().
  Lane(Lanes& lanes, std::uint64_t number) : lanes_{lanes}, number_{number} {}
  ~Lane() override;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  [[nodiscard]] Lanes& lanes() const { return lanes_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// At home: the broker lets go of the connection, and nothing more is routed. leave_broker() follows.
  void let_go() { let_go_ = true; }

  // In the thread.

  /// Null: there is no route now.
  void on_answer(LaneRoutePtr route);
  /// All goes home from here on, where it is dropped.
  void leave_broker();
  /// Packets for the client, by that route, with an empty list of properties each, or none.
  void insert(Bytes packets, bool have_properties, const LaneRoute& route);
  void flush();
  void report();

 private:
  friend class Lanes;

  struct Topic {
    LaneRoutePtr route{};          // null: its messages go home
    std::size_t routed = 0;        // by this route
    std::uint32_t sent_home = 0;   // since the last one
    std::uint32_t asked_from = 1;  // so many are worth a question
  };
  /// Messages by one route, one behind the other in memory.
  struct Run {
    Topic* topic = nullptr;
    std::string_view name{};
    Bytes packets{};
    std::size_t count = 0;
    std::size_t payload_bytes = 0;
  };
  struct Publishing {
    std::map<std::string, Topic, std::less<>> topics;
    std::uint32_t first_asked_from = 1;  // of a topic that is new
    std::string asked;                   // topic; empty: no answer is awaited
    std::vector<std::uint8_t> rest;      // read, and not looked at
    LaneReport report{};
  };
  enum class Fate : std::uint8_t { routed, goes_home, waits };

  void begin(net::CarriedEnd& end) override;
  void on_read(Bytes bytes) override;
  void on_read_over() override;
  void on_from_home(Bytes bytes) override;
  void on_drained() override;

  [[nodiscard]] bool holds() const { return waits_for_way_ || rests_ || !publishing_->asked.empty(); }
  void take(Bytes input);
  void send_home(const Sieve::Piece& piece, Bytes& before);
  void flush_home(Bytes& bytes);
  [[nodiscard]] Fate route(const Sieve::Piece& message, Run& run);
  [[nodiscard]] Topic* find_topic(std::string_view name);
  void drop_rarest();
  [[nodiscard]] bool waits_for_ways(const LaneRoute& route);
  void hold(const Sieve::Piece& first, Bytes rest);
  void go_on();
  void deliver(Run& run);
  void count(const Run& run);
  void note_heard();
  static void end_route(Topic& topic);
  void end_routes();
  [[nodiscard]] bool has_room(std::size_t size);
  void recount();

  Lanes& lanes_;
  const std::uint64_t number_;
  net::CarriedEnd* end_ = nullptr;
  Sieve sieve_;
  PacketEnds written_;  // of what comes from home
  Rare<Publishing> publishing_;
  Rare<std::vector<std::uint8_t>> behind_;  // packets that wait for the end of one that is being written
  std::size_t counted_ = 0;                 // in the account of lanes_
  std::uint32_t messages_ = 0;              // that it has seen, up to as many as make it look closer
  std::uint32_t routed_turn_ = 0;           // the turn that routed_bytes_ is about
  std::uint32_t routed_bytes_ = 0;
  std::atomic<bool> let_go_ = false;  // at home
  bool over_ = false;                 // no more is routed
  bool said_goodbye_ = false;         // the broker has sent DISCONNECT
  bool slow_ = false;                 // and home knows
  bool waits_for_way_ = false;        // another thread has enough to do
  bool rests_ = false;                // until the turn ends
  bool has_output_ = false;           // in the lists of Lanes
  bool is_active_ = false;
};

}  // namespace mqtt::server
