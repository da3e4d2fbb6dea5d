#pragma once
#include <array>
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/util/chunk.hpp>

#include "mqspy/fault_line.hpp"
#include "mqspy/inspection.hpp"
#include "mqspy/introduction.hpp"

namespace mq::spy {

class Relay;

/// What the connections of a proxy share.
struct RelayServices {
  mqtt::net::Loop& loop;
  ProxyTransport& transport;
  Inspection& inspection;
  FaultRules& rules;
  mqtt::Duration to_wall;  ///< from the loop's time to that of records
  /// The relay has ended: it may be destroyed, but not in this call.
  std::function<void(Relay&)> ended;
  /// There is something to inspect, once the turn ends.
  std::function<void()> seen;
};

/// One client, and its connection to the server: what one says the other is told, as it comes. Half-closes
/// are passed on as such, and resets as resets. A side that does not read stops the other one's reading.
class Relay final : private FaultWatcher {
 public:
  Relay(const RelayServices& services, std::unique_ptr<mqtt::net::ByteStream> client);
  /// Ends both connections now, without a call of `ended`, and tells the inspection how they did.
  ~Relay() override;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Where its owner keeps it.
  using Place = std::list<std::unique_ptr<Relay>>::iterator;
  [[nodiscard]] Place place() const { return place_; }
  void set_place(Place place) { place_ = place; }

  /// Begins. `ended` may be called from here.
  void start();

 private:
  using Sender = mqtt::Sender;

  struct Side final : mqtt::net::StreamHandler {
    Side(Relay& r, Sender s, mqtt::ChunkPool& pool) : relay{r}, who{s}, out{pool} {}

    void on_data(mqtt::Bytes bytes) override { relay.on_data(who, bytes); }
    void on_writable() override { relay.on_writable(who); }
    void on_end() override { relay.on_end(who); }
    void on_error(mqtt::Error) override { relay.on_error(who); }

    Relay& relay;
    Sender who;
    std::unique_ptr<mqtt::net::ByteStream> stream;
    mqtt::OutBuffer out;     // for it, that it does not take yet
    bool blocked = false;    // on_writable() will come
    bool paused = false;     // not read from
    bool ended = false;      // it says nothing more
    bool shut_down = false;  // it is told nothing more
    bool broken = false;     // it can be told nothing more
  };

  void on_introduced(mqtt::Result<Introduction::Pair> pair);
  void on_data(Sender from, mqtt::Bytes bytes);
  void on_writable(Sender who);
  void on_end(Sender from);
  void on_error(Sender from);
  [[nodiscard]] bool has_all_left() const;
  void on_time();

  void send(Side& to, mqtt::Bytes bytes);
  void write_out(Side& to);
  void follow_reading(Side& from);
  void break_off(Side& to);
  void pass_on_ends();
  void pass_on_end(Side& from);
  void reset_other(Sender from);

  void on_passing(Sender sender, mqtt::Bytes bytes) override;
  void on_fired(const Fired& fired) override;
  void on_too_large(Sender sender, std::size_t size) override;
  void run_line();
  void close_for(CloseKind how);

  void note_end(std::optional<Sender> by, mqtt::FlowClose::How how);
  void linger();
  void end();
  void cut();

  [[nodiscard]] Side& side(Sender sender) { return sides_[static_cast<std::size_t>(sender)]; }
  [[nodiscard]] mqtt::TimePoint wall_now() const { return services_.loop.now() + services_.to_wall; }

  const RelayServices& services_;
  Place place_{};
  Link link_;
  std::array<Side, 2> sides_;
  std::unique_ptr<Introduction> introduction_;
  std::unique_ptr<FaultLine> line_;  // with rules
  mqtt::net::Timer timer_;
  std::optional<mqtt::FlowClose> close_;
  bool lingering_ = false;
  bool resetting_ = false;  // both are to see a reset
  bool over_ = false;
};

}  // namespace mq::spy
