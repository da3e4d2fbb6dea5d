#include "mqbench/inbox.hpp"

#include <algorithm>

#include "mqbench/bench_client.hpp"

namespace mq::bench {

void Inbox::note(const mqtt::PublishView& message, mqtt::TimePoint now) {
  Measurements& m = around_.measurements;
  const Plan& plan = around_.plan;
  if (message.retain && plan.scenario.stored != Stored::retained) return void(++m.retained);
  const bool taken_back = plan.scenario.stored == Stored::retained && message.payload.empty();
  if (taken_back) return;  // at the end, by our own publishers
  if (plan.scenario.unstamped()) return note_delivery(now), note_unstamped(message.payload);
  // A will says when its client will go, from the start on: the start is not known when it is written.
  const bool will = plan.scenario.operation == Operation::will;
  auto [stamp, fault] = read_stamp(message.payload, plan.run,
                                   will ? mqtt::TimePoint{} : now + around_.clock_offset, plan.covered());
  if (fault == StampFault::foreign) return void(++m.foreign);
  stamp.due = will ? around_.start + stamp.due.time_since_epoch() : stamp.due - around_.clock_offset;
  stamp.sent -= around_.clock_offset;
  note_delivery(now);
  const bool known = !fault && stamp.stream < plan.scenario.streams();
  if (!known || stamp.sequence > SeenMessages::sequence_max) return note_damaged();
  const Arrived arrived = note_arrival(stamp);
  if (arrived == Arrived::duplicated) return void(++m.duplicated);
  ++distinct_;
  m.came_per_second.note(stamp.due - around_.start);
  if (arrived == Arrived::reordered) ++m.reordered;
  if (!same_body(stamp, message.payload)) return void(++m.corrupted);
  record(stamp, now);
}

void Inbox::note_delivery(mqtt::TimePoint now) {
  Measurements& m = around_.measurements;
  m.last_received = now;
  ++m.received;
  m.received_per_second.note(now - around_.start);
}

/// Only their number tells what is lost.
void Inbox::note_unstamped(mqtt::Bytes payload) {
  ++distinct_;
  if (!around_.plan.is_unstamped(payload)) ++around_.measurements.corrupted;
}

void Inbox::note_damaged() {
  ++around_.measurements.corrupted;
  ++unnamed_;
  ++distinct_;
}

/// Among the members of a shared subscription there is no order.
Arrived Inbox::note_arrival(const Stamp& stamp) {
  if (!around_.plan.scenario.shares_out()) return streams_.make()[stamp.stream].note(stamp.sequence);
  return around_.seen.note(stamp.stream, stamp.sequence) ? Arrived::in_order : Arrived::duplicated;
}

void Inbox::record(const Stamp& stamp, mqtt::TimePoint now) {
  const Scenario& scenario = around_.plan.scenario;
  Measurements& m = around_.measurements;
  // How long the tool has kept the receiver away, or the reader did not read, is no latency.
  if (scenario.stored != Stored::none || reading_ == Reading::slowly) return;
  const mqtt::Duration latency = now - (scenario.open_loop() ? stamp.due : stamp.sent);
  around_.seconds.record(now - around_.start, latency.count());
  if (!around_.plan.measures(stamp.due - around_.start)) return;
  if (scenario.open_loop()) m.due_to_received.record(latency.count());
  if (scenario.operation != Operation::will) m.sent_to_received.record((now - stamp.sent).count());
  if (scenario.slow > 0)
    (stamp.due - around_.start < scenario.slow_from() ? m.undisturbed : m.disturbed).record(latency.count());
}

bool Inbox::same_body(const Stamp& stamp, mqtt::Bytes payload) const {
  const Plan& plan = around_.plan;
  if (plan.covered() == Covered::payload) return true;  // by its CRC
  const mqtt::Bytes whole{plan.payload.data(), plan.size_of(stamp.stream, stamp.sequence)};
  return payload.size() == whole.size() &&
         mqtt::equal(payload.subspan(Stamp::size), whole.subspan(Stamp::size));
}

std::uint64_t Inbox::lost_of(std::uint32_t stream, std::uint64_t sent) const {
  const auto found = streams_->find(stream);
  return found == streams_->end() ? sent : found->second.lost_of(sent);
}

std::uint64_t Inbox::lost_of_all(std::uint64_t sent, std::uint64_t lost) const {
  if (around_.plan.scenario.unstamped()) return sent - std::min(sent, distinct_);
  return lost - std::min(lost, unnamed_);
}

}  // namespace mq::bench
