#include "mqspy/inspection.hpp"

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace mq::spy {
namespace {

/// What an event takes besides its bytes.
constexpr std::size_t event_weight = 64;

/// Events wait in batches of this weight; a larger event has one of its own.
constexpr std::size_t batch_weight = 256 * 1024;

/// To take memory from the system for each batch, and to give it back, costs the loop as much as to pass its
/// bytes on. So it is kept, as much as may wait, but for what had to grow for a large event.
constexpr std::size_t spare_max = Inspection::waiting_max_bytes / batch_weight;
constexpr std::size_t spare_max_bytes = 2 * batch_weight;

/// Who has just had something to look at has more soon. To be woken up for that costs both threads
/// microseconds per turn of the loop, and the loop more than anything else it does.
constexpr std::chrono::milliseconds nap{1};

/// Where there are not cores enough, the thread that passes bytes on goes first: of a core that both want
/// this one takes a quarter, and it takes none by waking up. What it does not get to meanwhile waits.
void let_others_go_first() {
  constexpr int nicer = 5;
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_BATCH, &none);
  [[maybe_unused]] const int niceness = ::nice(nicer);  // on Linux it is about this thread
}

}  // namespace

struct Inspection::Details {
  LinkInfo info{};
  mqtt::FlowClose close{};
  std::string text{};  // of a note; the rule
  std::string action{};
  std::string original{};
  std::string sent{};
};

Inspection::Inspection(RecordSink& sink, OnProgress on_progress, std::size_t waiting_max)
    : waiting_max_{waiting_max},
      recorder_{sink},
      on_progress_{std::move(on_progress)},
      thread_{[this] { run(); }} {}

Inspection::~Inspection() {
  if (!ended_) end({});
  thread_.join();
}

bool Inspection::has_room(std::size_t size) const {
  return waiting_weight_.load(std::memory_order_relaxed) + size <= waiting_max_;
}

void Inspection::add(Event event, std::size_t weight, mqtt::Bytes bytes) {
  weight += event_weight;
  waiting_weight_.fetch_add(weight, std::memory_order_relaxed);
  const std::scoped_lock lock{mutex_};
  Batch& batch = batch_for(weight);
  batch.bytes += mqtt::as_text(bytes);
  batch.events.push_back(std::move(event));
  batch.weight += weight;
}

Inspection::Batch& Inspection::batch_for(std::size_t weight) {
  if (!waiting_.empty() && waiting_.back().weight + weight <= batch_weight) return waiting_.back();
  if (spare_.empty()) return waiting_.emplace_back();
  waiting_.push_back(std::move(spare_.back()));
  spare_.pop_back();
  return waiting_.back();
}

std::uint64_t Inspection::open(LinkInfo info, mqtt::TimePoint now) {
  if (!has_room(event_weight)) {
    ++skipped_.links;
    return 0;
  }
  auto details = std::make_unique<Details>();
  details->info = std::move(info);
  add({.kind = Event::Kind::open, .link = ++opened_, .time = now, .details = std::move(details)},
      sizeof(Details));
  return opened_;
}

void Inspection::bytes(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes) {
  if (link == 0) return;
  if (!has_room(bytes.size() + event_weight)) {
    skipped_.bytes += bytes.size();
    missed_[link].bytes[static_cast<std::size_t>(sender)] += bytes.size();
    return;
  }
  if (!missed_.empty()) tell_gap(link, sender, now);
  add({.kind = Event::Kind::bytes, .sender = sender, .link = link, .time = now, .size = bytes.size()},
      bytes.size(), bytes);
}

void Inspection::tell_gap(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now) {
  const auto found = missed_.find(link);
  if (found == missed_.end()) return;
  const std::uint64_t size = std::exchange(found->second.bytes[static_cast<std::size_t>(sender)], 0);
  if (size > 0) add({.kind = Event::Kind::gap, .sender = sender, .link = link, .time = now, .size = size}, 0);
  if (found->second.bytes[0] + found->second.bytes[1] == 0) missed_.erase(found);
}

void Inspection::disturbed(std::uint64_t link, const Recorder::Disturbance& what) {
  const std::size_t weight = what.original.size() + what.sent.size() + sizeof(Details);
  if (link == 0) return;
  if (!has_room(weight)) {
    ++skipped_.firings;
    return;
  }
  auto details = std::make_unique<Details>();
  details->text = what.rule;
  details->action = what.action;
  details->original = mqtt::to_string(what.original);
  details->sent = mqtt::to_string(what.sent);
  add({.kind = Event::Kind::disturbed,
       .sender = what.sender,
       .link = link,
       .time = what.time,
       .details = std::move(details)},
      weight);
}

void Inspection::note(std::uint64_t link, std::string text, mqtt::TimePoint now) {
  if (!has_room(text.size())) return;
  auto details = std::make_unique<Details>();
  const std::size_t weight = text.size() + sizeof(Details);
  details->text = std::move(text);
  add({.kind = Event::Kind::note, .link = link, .time = now, .details = std::move(details)}, weight);
}

/// Has room always: a connection that was opened has a close.
void Inspection::close(std::uint64_t link, const mqtt::FlowClose& close) {
  if (link == 0) return;
  if (!missed_.empty())
    for (const auto sender : {mqtt::Sender::client, mqtt::Sender::server}) tell_gap(link, sender, close.time);
  auto details = std::make_unique<Details>();
  details->close = close;
  add({.kind = Event::Kind::close, .link = link, .time = close.time, .details = std::move(details)},
      sizeof(Details));
}

void Inspection::wake() {
  {
    const std::scoped_lock lock{mutex_};
    if (!asleep_ || waiting_.empty()) return;
    asleep_ = false;
  }
  changed_.notify_one();
}

void Inspection::end(mqtt::TimePoint now) {
  {
    const std::scoped_lock lock{mutex_};
    ended_ = now;
  }
  changed_.notify_one();
}

void Inspection::Batch::clear() {
  events.clear();
  bytes.clear();
  weight = 0;
}

void Inspection::keep_memory(Batch batch) {
  if (spare_.size() < spare_max && batch.bytes.capacity() <= spare_max_bytes)
    spare_.push_back(std::move(batch));
}

void Inspection::run() {
  let_others_go_first();
  std::unique_lock lock{mutex_};
  for (;;) {
    rest(lock);
    if (waiting_.empty()) break;
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    look_at(batch);
    batch.clear();
    lock.lock();
    keep_memory(std::move(batch));
  }
  lock.unlock();
  recorder_.finish(*ended_);
  on_progress_(Progress::over);
}

/// Until something waits, or the end.
void Inspection::rest(std::unique_lock<std::mutex>& lock) {
  if (!waiting_.empty() || ended_) return;
  lock.unlock();
  on_progress_(Progress::up_to_date);
  lock.lock();
  changed_.wait_for(lock, nap, [this] { return ended_.has_value(); });
  asleep_ = true;
  changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
  asleep_ = false;
}

void Inspection::look_at(const Batch& batch) {
  mqtt::Bytes rest = mqtt::as_bytes(batch.bytes);
  for (const Event& event : batch.events) {
    const std::size_t size = event.kind == Event::Kind::bytes ? event.size : 0;
    look_at(event, rest.first(size));
    rest = rest.subspan(size);
    looked_at_.fetch_add(1, std::memory_order_relaxed);
    on_progress_(Progress::going_on);
  }
  waiting_weight_.fetch_sub(batch.weight, std::memory_order_relaxed);
}

void Inspection::look_at(const Event& event, mqtt::Bytes bytes) {
  const auto found = ids_.find(event.link);
  const Recorder::Id id = found == ids_.end() ? 0 : found->second;
  switch (event.kind) {
    case Event::Kind::open: ids_[event.link] = recorder_.open(event.details->info, event.time); return;
    case Event::Kind::bytes: return recorder_.receive(id, event.sender, event.time, bytes);
    case Event::Kind::gap: return recorder_.gap(id, event.sender, event.time, event.size);
    case Event::Kind::note:
      return recorder_.note(event.details->text, event.time, id == 0 ? std::nullopt : std::optional{id});
    case Event::Kind::disturbed:
      return recorder_.disturbed(id, {.time = event.time,
                                      .sender = event.sender,
                                      .rule = event.details->text,
                                      .action = event.details->action,
                                      .original = mqtt::as_bytes(event.details->original),
                                      .sent = mqtt::as_bytes(event.details->sent)});
    case Event::Kind::close: ids_.erase(event.link); return recorder_.close(id, event.details->close);
  }
}

}  // namespace mq::spy
