#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include <mqtt/net/loop_thread.hpp>
#include <mqtt/net/mailbox.hpp>
#include <mqtt/server/lane.hpp>

namespace mqtt::server {

/// From one thread to another one, for messages. What is under way is bounded: who sends them waits then.
class Way {
 public:
  Way(Lanes& from, Lanes& to);

  // In the thread of `from`.

  void send(std::shared_ptr<const LaneRoute::Stop> stop, Bytes packets);
  /// Nothing more is to be sent before Lanes::on_way_free().
  [[nodiscard]] bool is_full();

  /// In the thread of `to`: so much of it has been dealt with.
  void note_arrived(std::size_t size);

  [[nodiscard]] net::Mailbox& mailbox() { return mailbox_; }

 private:
  Lanes& from_;
  Lanes& to_;
  net::Mailbox mailbox_;
  std::atomic<std::size_t> under_way_{0};  // bytes
  std::atomic<bool> awaited_{false};       // `from` is to be told when there is room
};

/// The lanes of one thread. Made at home, before any of its lanes; outlives its thread's run, and its thread
/// outlives it.
class Lanes {
 public:
  explicit Lanes(net::LoopThread& thread);
  /// Each with all others.
  static void connect(std::span<const std::unique_ptr<Lanes>> all);
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // At home.

  [[nodiscard]] std::unique_ptr<Lane> make_lane() { return std::make_unique<Lane>(*this, ++last_number_); }
  [[nodiscard]] net::LoopThread& thread() { return thread_; }
  /// Null to itself.
  [[nodiscard]] Way* way_to(const Lanes& other) const { return ways_[other.place_].get(); }

  // In the thread.

  [[nodiscard]] TimePoint now() { return thread_.loop().now(); }
  /// A number for the current turn of the loop, if something is routed in it.
  [[nodiscard]] std::uint32_t turn() const { return turn_; }
  void deliver(const LaneRoute::Stop& stop, Bytes packets);
  void on_way_free();

  // For the lanes.

  void add(Lane& lane) { lanes_.emplace(lane.number(), &lane); }
  void remove(Lane& lane);
  /// To be flushed at the turn's end.
  void note_output(Lane& lane);
  /// To go on when the turn has ended.
  void rest(Lane& lane);
  /// To go on when a way is free.
  void wait_for_way(Lane& lane);
  /// What waits for the slow clients of this thread is bounded, all of it.
  [[nodiscard]] bool has_room(std::size_t size) const;
  void recount(std::size_t before, std::size_t now) { waiting_bytes_ += now - before; }
  void flush_all();
  /// To report before long.
  void note_active(Lane& lane);

 private:
  void at_turn_end();
  void report();
  void insert(std::span<const std::uint64_t> numbers, Bytes packets, bool have_properties,
              const LaneRoute& route);
  void translate(Bytes packets, bool have_properties);

  net::LoopThread& thread_;
  std::size_t place_ = 0;                   // among all
  std::vector<std::unique_ptr<Way>> ways_;  // by place
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, Lane*> lanes_;
  std::vector<Lane*> outputs_;
  std::vector<Lane*> resting_;
  std::vector<Lane*> waiting_;
  std::vector<Lane*> active_;
  std::vector<std::uint8_t> translated_;  // kept, so that translating allocates nothing
  std::size_t waiting_bytes_ = 0;
  std::uint32_t turn_ = 0;
  net::TurnEnd turn_end_;
  net::Timer report_timer_;
};

}  // namespace mqtt::server
