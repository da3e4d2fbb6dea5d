#include "mqspy/inspection.hpp"

#include <sched.h>

#include <utility>

namespace mq::spy {
namespace {

/// What an event takes besides its octets.
constexpr std::size_t event_weight = 64;

/// To take memory from the system for each turn of a busy loop, and to give it back, costs more than to look
/// at what is in it. So many batches are kept, none of them larger than a few turns of one.
constexpr std::size_t spare_max = 8, spare_max_bytes = 1024 * 1024;

/// A thread that wakes up takes the core from one that has had it for a while: not from the one that passes
/// octets on. Where that is not permitted, everything works as well.
void let_others_go_first() {
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_BATCH, &none);
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

Inspection::Inspection(RecordSink& sink, std::function<void()> behind_batch, std::size_t waiting_max)
    : waiting_max_{waiting_max},
      recorder_{sink},
      behind_batch_{std::move(behind_batch)},
      thread_{[this] { run(); }} {}

Inspection::~Inspection() {
  if (thread_.joinable()) finish({});
}

bool Inspection::has_room(std::size_t size) const {
  return waiting_weight_.load(std::memory_order_relaxed) + gathering_.weight + size <= waiting_max_;
}

void Inspection::add(Event event, std::size_t weight) {
  gathering_.events.push_back(std::move(event));
  gathering_.weight += weight + event_weight;
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

void Inspection::octets(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now, mqtt::Bytes octets) {
  if (link == 0) return;
  if (!has_room(octets.size() + event_weight)) {
    skipped_.octets += octets.size();
    missed_[link].octets[static_cast<std::size_t>(sender)] += octets.size();
    return;
  }
  if (!missed_.empty()) tell_gap(link, sender, now);
  gathering_.octets += mqtt::as_text(octets);
  add({.kind = Event::Kind::octets, .sender = sender, .link = link, .time = now, .size = octets.size()},
      octets.size());
}

void Inspection::tell_gap(std::uint64_t link, mqtt::Sender sender, mqtt::TimePoint now) {
  const auto found = missed_.find(link);
  if (found == missed_.end()) return;
  const std::uint64_t size = std::exchange(found->second.octets[static_cast<std::size_t>(sender)], 0);
  if (size > 0) add({.kind = Event::Kind::gap, .sender = sender, .link = link, .time = now, .size = size}, 0);
  if (found->second.octets[0] + found->second.octets[1] == 0) missed_.erase(found);
}

void Inspection::disturbed(std::uint64_t link, const Recorder::Disturbance& what) {
  const std::size_t weight = what.original.size() + what.sent.size() + sizeof(Details);
  if (link == 0 || !has_room(weight)) return;
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

/// To wake a thread costs microseconds, and only one that sleeps needs it.
void Inspection::hand_over() {
  if (gathering_.events.empty()) return;
  bool wake = false;
  {
    const std::scoped_lock lock{mutex_};
    waiting_weight_.fetch_add(gathering_.weight, std::memory_order_relaxed);
    waiting_.push_back(std::exchange(gathering_, {}));
    if (!spare_.empty()) {
      gathering_ = std::move(spare_.back());
      spare_.pop_back();
    }
    wake = asleep_;
  }
  if (wake) changed_.notify_one();
}

void Inspection::finish(mqtt::TimePoint now) {
  hand_over();
  {
    const std::scoped_lock lock{mutex_};
    over_ = true;
    ended_ = now;
  }
  changed_.notify_one();
  thread_.join();
}

void Inspection::Batch::clear() {
  events.clear();
  octets.clear();
  weight = 0;
}

void Inspection::keep_memory(Batch batch) {
  if (spare_.size() < spare_max && batch.octets.capacity() <= spare_max_bytes)
    spare_.push_back(std::move(batch));
}

void Inspection::run() {
  let_others_go_first();
  std::unique_lock lock{mutex_};
  for (;;) {
    asleep_ = true;
    changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    asleep_ = false;
    if (waiting_.empty()) break;
    std::deque<Batch> batches = std::exchange(waiting_, {});
    lock.unlock();
    for (Batch& batch : batches) {
      look_at(batch);
      batch.clear();
    }
    behind_batch_();
    lock.lock();
    for (Batch& batch : batches) keep_memory(std::move(batch));
  }
  lock.unlock();
  recorder_.finish(ended_);
  behind_batch_();
}

void Inspection::look_at(const Batch& batch) {
  mqtt::Bytes rest = mqtt::as_bytes(batch.octets);
  for (const Event& event : batch.events) {
    const std::size_t size = event.kind == Event::Kind::octets ? event.size : 0;
    look_at(event, rest.first(size));
    rest = rest.subspan(size);
  }
  waiting_weight_.fetch_sub(batch.weight, std::memory_order_relaxed);
}

void Inspection::look_at(const Event& event, mqtt::Bytes octets) {
  const auto found = ids_.find(event.link);
  const Recorder::Id id = found == ids_.end() ? 0 : found->second;
  switch (event.kind) {
    case Event::Kind::open: ids_[event.link] = recorder_.open(event.details->info, event.time); return;
    case Event::Kind::octets: return recorder_.receive(id, event.sender, event.time, octets);
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
