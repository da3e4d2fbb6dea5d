#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  /// Bytes that may wait.
  static constexpr std::size_t waiting_max_bytes = 64 * 1024 * 1024;

  /// How far the other thread is: more waits, which is the time to write what is much; nothing waits; or
  /// nothing will, since end() was called.
  enum class Progress : std::uint8_t { going_on, up_to_date, over };
  using OnProgress = std::function<void(Progress)>;

  /// Both are called from the other thread.
  Inspection(RecordSink& sink, OnProgress on_progress, std::size_t waiting_max = waiting_max_bytes);
  /// Waits until the other thread is over.
  ~Inspection();
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  /// A number for the connection; 0 if it is not looked at.
  [[nodiscard]] std::uint64_t open(LinkInfo info, mqtt::TimePoint now);
  void bytes(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes);
  void disturbed(std::uint64_t link, const Recorder::Disturbance& what);
  /// Of a connection, or of none (0).
  void note(std::uint64_t link, std::string text, mqtt::TimePoint now);
  void close(std::uint64_t link, const mqtt::FlowClose& close);

  /// At the end of a turn: there is something to look at.
  void wake();
  /// Nothing may follow. What waits is looked at; then the other thread is over.
  void end(mqtt::TimePoint now);

  /// As long as it grows, the other thread is at work.
  [[nodiscard]] std::uint64_t looked_at() const { return looked_at_.load(std::memory_order_relaxed); }

  /// What was not looked at: bytes, whole connections, and firings of faults.
  struct Skipped {
    std::uint64_t bytes = 0;
    std::uint64_t links = 0;
    std::uint64_t firings = 0;
  };
  [[nodiscard]] const Skipped& skipped() const { return skipped_; }

 private:
  struct Details;
  struct Event {
    enum class Kind : std::uint8_t { open, bytes, gap, disturbed, note, close };
    Kind kind = Kind::bytes;
    mqtt::Sender sender = mqtt::Sender::client;
    std::uint64_t link = 0;
    mqtt::TimePoint time{};
    std::size_t size = 0;  // of the batch's bytes, in order; of a gap
    std::unique_ptr<Details> details{};
  };
  struct Batch {
    std::vector<Event> events;
    std::string bytes;
    std::size_t weight = 0;

    /// Empty, with its memory.
    void clear();
  };
  struct Missed {
    std::uint64_t bytes[2] = {0, 0};
  };

  [[nodiscard]] bool has_room(std::size_t size) const;
  void add(Event event, std::size_t weight, mqtt::Bytes bytes = {});
  [[nodiscard]] Batch& batch_for(std::size_t weight);
  void tell_gap(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now);
  void run();
  void rest(std::unique_lock<std::mutex>& lock);
  void keep_memory(Batch batch);
  void look_at(const Batch& batch);
  void look_at(const Event& event, mqtt::Bytes bytes);

  const std::size_t waiting_max_;
  std::uint64_t opened_ = 0;
  Skipped skipped_;
  std::unordered_map<std::uint64_t, Missed> missed_;  // of links that go on

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> waiting_;
  std::vector<Batch> spare_;  // whose memory is used again
  std::optional<mqtt::TimePoint> ended_;
  bool asleep_ = false;
  std::atomic<std::size_t> waiting_weight_ = 0;
  std::atomic<std::uint64_t> looked_at_ = 0;

  // The other thread's.
  Recorder recorder_;
  OnProgress on_progress_;
  std::unordered_map<std::uint64_t, Recorder::Id> ids_;
  std::thread thread_;
};

}  // namespace mq::spy
