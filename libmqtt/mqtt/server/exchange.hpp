#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/broker/broker.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/workers.hpp>
#include <mqtt/server/lanes.hpp>
#include <mqtt/server/link.hpp>
#include <mqtt/server/server.hpp>

namespace mqtt::server {

/// The broker, its links and its time: what comes in during a turn of the loop, and what goes out at the
/// turn's end, after the broker's commit().
class Exchange {
 public:
  /// `lanes` are those of all threads that carry connections, and outlive this.
  Exchange(net::Loop& loop, const ServerConfig& config, broker::BrokerServices services, ServerEvents& events,
           SipKey secret, const std::vector<std::unique_ptr<Lanes>>& lanes);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void add(std::unique_ptr<net::ByteStream> stream, broker::ConnectionInfo info, std::uint16_t listener);
  /// Server::hear().
  void hear(broker::ConnectionInfo info, Bytes packets);
  /// Tells the clients and calls `done` at the end of a turn, once the last link has gone. Again: cuts
  /// off those that are left.
  void shut_down(std::function<void()> done);

  [[nodiscard]] broker::Broker& broker() { return broker_; }
  [[nodiscard]] ServerCounters& counters() { return counters_; }
  [[nodiscard]] ServerEvents& events() { return events_; }
  [[nodiscard]] std::size_t connections_through(std::uint16_t listener) const { return through_[listener]; }

  // For the links.

  [[nodiscard]] TimePoint now() { return loop_.now(); }
  [[nodiscard]] LinkDeadlines& deadlines() { return deadlines_; }
  [[nodiscard]] Duration drain_timeout() const { return drain_timeout_; }
  [[nodiscard]] Duration linger_timeout() const { return linger_timeout_; }
  [[nodiscard]] Duration stall_timeout() const { return stall_timeout_; }
  [[nodiscard]] std::size_t write_backlog() const { return broker_.config().limits.write_backlog; }
  /// A number for the current turn of the loop.
  [[nodiscard]] std::uint32_t turn() const { return turn_; }
  void request_turn_end() { turn_end_.request(); }
  /// The link has something to do at the turn's end.
  void enlist(Link& link);
  /// The link does not read before the turn has ended.
  void rest(Link& link) { resting_.push_back(&link); }
  /// The broker was given `size` bytes. Much of it is answered before the turn ends, so that what one
  /// turn brings does not pile up in memory: the link may end here.
  void on_input(std::size_t size);
  /// Link::answer() at the end of the turn in which it is_caught_up(), when all that has come of that is on
  /// its way.
  void ask(Link& link, std::string_view topic);
  /// Null: there is none for the client of `publisher`.
  [[nodiscard]] LaneRoutePtr find_route(Lane& publisher, broker::Connection& connection,
                                        std::string_view topic);
  /// The link has ended; its object lives until the turn ends.
  void retire(Link& link);

 private:
  void at_turn_end();
  void check_logins();
  void flush();
  [[nodiscard]] bool commit();
  void answer_asks();
  void end_rests();
  void on_time();
  void set_timer();
  void give_up_all();
  void finish();

  net::Loop& loop_;
  ServerEvents& events_;
  const Duration drain_timeout_;
  const Duration linger_timeout_;
  const Duration stall_timeout_;
  ServerCounters counters_;
  std::vector<std::size_t> through_;  // connections per listener, and behind them those of none
  LinkDeadlines deadlines_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> retired_;
  broker::Broker broker_;        // ends before the links: they are its connections' owners
  std::vector<Link*> enlisted_;  // each once
  std::vector<Link*> batch_;     // what flush() is working on
  std::vector<Link*> resting_;
  struct Ask {
    Link* link;
    std::string topic;
  };
  std::vector<Ask> asks_;
  const std::vector<std::unique_ptr<Lanes>>& lanes_;
  net::TurnEnd turn_end_;
  net::Workers workers_;
  net::Timer timer_;
  Deadline timer_set_for_;
  Deadline cut_off_at_;  // shutting down
  std::function<void()> done_;
  std::size_t unanswered_bytes_ = 0;
  std::uint32_t turn_ = 0;
  bool store_failed_ = false;
};

}  // namespace mqtt::server
