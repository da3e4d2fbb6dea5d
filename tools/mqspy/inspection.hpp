#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "mqspy/recorder.hpp"

namespace mq::spy {

/// Looks at a copy of what goes by, in a thread of its own, so that what goes by does not wait for it. The
/// queue between the two is bounded: what does not fit is counted and told as a gap, or, of a connection that
/// begins, not looked at.
///
/// All functions are for the thread that made it.
class Inspection {
 public:
  /// Octets that may wait.
  static constexpr std::size_t waiting_max_bytes = 64 * 1024 * 1024;

  /// `sink` and `behind_batch` are called from the other thread until finish() has returned: the second one
  /// whenever what waited has been looked at, which is the time to write.
  Inspection(RecordSink& sink, std::function<void()> behind_batch,
             std::size_t waiting_max = waiting_max_bytes);
  ~Inspection();
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  /// A number for the connection; 0 if it is not looked at.
  [[nodiscard]] std::uint64_t open(LinkInfo info, mqtt::TimePoint now);
  void octets(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes octets);
  void disturbed(std::uint64_t link, const Recorder::Disturbance& what);
  /// Of a connection, or of none (0).
  void note(std::uint64_t link, std::string text, mqtt::TimePoint now);
  void close(std::uint64_t link, const mqtt::FlowClose& close);

  /// At the end of a turn: lets the other thread have what has gathered.
  void hand_over();
  /// Waits until all has been looked at, and ends the thread. Nothing may follow.
  void finish(mqtt::TimePoint now);

  /// Octets, and connections, that were not looked at.
  struct Skipped {
    std::uint64_t octets = 0;
    std::uint64_t links = 0;
  };
  [[nodiscard]] const Skipped& skipped() const { return skipped_; }

 private:
  struct Details;
  struct Event {
    enum class Kind : std::uint8_t { open, octets, gap, disturbed, note, close };
    Kind kind = Kind::octets;
    mqtt::Sender sender = mqtt::Sender::client;
    std::uint64_t link = 0;
    mqtt::TimePoint time{};
    std::size_t size = 0;  // of the batch's octets, in order; of a gap
    std::unique_ptr<Details> details{};
  };
  struct Batch {
    std::vector<Event> events;
    std::string octets;
    std::size_t weight = 0;

    /// Empty, with its memory.
    void clear();
  };
  struct Missed {
    std::uint64_t octets[2] = {0, 0};
  };

  [[nodiscard]] bool has_room(std::size_t size) const;
  void add(Event event, std::size_t weight);
  void tell_gap(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now);
  void run();
  void keep_memory(Batch batch);
  void look_at(const Batch& batch);
  void look_at(const Event& event, mqtt::Bytes octets);

  const std::size_t waiting_max_;
  Batch gathering_;
  std::uint64_t opened_ = 0;
  Skipped skipped_;
  std::unordered_map<std::uint64_t, Missed> missed_;  // of links that go on

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> waiting_;
  std::vector<Batch> spare_;  // whose memory is used again
  bool over_ = false;
  bool asleep_ = false;
  std::atomic<std::size_t> waiting_weight_ = 0;

  // The other thread's.
  Recorder recorder_;
  std::function<void()> behind_batch_;
  std::unordered_map<std::uint64_t, Recorder::Id> ids_;
  mqtt::TimePoint ended_{};
  std::thread thread_;
};

}  // namespace mq::spy
