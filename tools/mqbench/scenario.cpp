#include "mqbench/scenario.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

/// In one SUBSCRIBE; who wants more should take them all by a wildcard.
constexpr std::uint32_t filters_max = 1'000;

std::uint32_t scaled(std::uint32_t clients, double factor) {
  if (clients == 0) return 0;
  return static_cast<std::uint32_t>(std::clamp(std::round(clients * factor), 1.0, double{clients_max}));
}

}  // namespace

std::uint32_t Scenario::topics() const {
  if (pattern.is_one()) return 1;
  if (pattern.count() > 0) return pattern.count();
  return wiring == Wiring::pairs && subscribers > 0 ? std::min(publishers, subscribers) : publishers;
}

std::uint32_t Scenario::streams_of(std::uint32_t publisher) const {
  return (streams() - publisher + publishers - 1) / publishers;
}

std::uint32_t Scenario::stream_of(std::uint32_t publisher, std::uint64_t number) const {
  return publisher + publishers * static_cast<std::uint32_t>(number % streams_of(publisher));
}

std::uint64_t Scenario::sequence_of(std::uint32_t publisher, std::uint64_t number) const {
  return number / streams_of(publisher);
}

std::uint64_t Scenario::sent_of(std::uint32_t stream, std::uint64_t sent) const {
  const std::uint32_t turns = streams_of(stream % publishers), turn = stream / publishers;
  return (sent + turns - 1 - turn) / turns;
}

bool Scenario::takes(std::uint32_t subscriber, std::uint32_t topic) const {
  return takes_all() || subscriber % modulo() == topic % modulo();
}

std::uint32_t Scenario::receivers_of(std::uint32_t stream) const {
  if (wiring == Wiring::shared) return std::min(subscribers, 1U);
  if (takes_all()) return subscribers;
  return (subscribers - topic_of(stream) % modulo() + modulo() - 1) / modulo();
}

std::uint64_t Scenario::limit_of(std::uint32_t publisher) const {
  if (count == 0) return std::numeric_limits<std::uint64_t>::max();
  return (count + publishers - 1 - publisher) / publishers;
}

bool Scenario::unstamped() const { return payload.text().empty() && size.min() < Stamp::size; }

void Scenario::set_count(std::uint64_t messages) {
  count = messages;
  warmup = {};
  duration = std::chrono::hours{24 * 365};  // the count ends it
}

void Scenario::scale_by(double factor) {
  scale *= factor;
  set_publishers(scaled(publishers, factor));
  subscribers = scaled(subscribers, factor);
  slow = scaled(slow, factor);
  rate *= factor;
  ramp *= factor;
}

void Scenario::set_publishers(std::uint32_t clients) {
  const bool once_each = count == publishers && operation != Operation::publish;
  const bool together = burst > 1 && burst == publishers;
  publishers = clients;
  if (once_each) count = publishers;
  if (together) burst = publishers;
}

std::uint64_t Scenario::share_of(std::uint32_t subscriber) const {
  std::uint64_t share = 0;
  for (std::uint32_t stream = 0; stream < streams(); ++stream)
    if (receives(subscriber, stream)) share += sent_of(stream, limit_of(stream % publishers));
  return share;
}

namespace {

/// What the life cycles need.
std::optional<std::string> find_operation_fault(const Scenario& s) {
  const bool once = s.operation == Operation::connect || s.operation == Operation::will;
  if (once && (s.count == 0 || s.count > s.publishers))
    return fmt::format("each of {} publishers connects or dies once: it needs a count of at most that",
                       s.publishers);
  if (s.operation == Operation::will && !s.open_loop())
    return "a Will says when its client will die: it needs a rate";
  if (s.operation == Operation::will && s.topics() != s.publishers) return "a Will has a topic of its own";
  if (s.operation == Operation::request && (s.subscribers == 0 || s.receivers_of(0) != 1))
    return "a request needs one subscriber that answers it: pairs, or shared";
  if (s.operation == Operation::request && s.unstamped()) return "an answer is known by its stamp";
  if (s.stored != Stored::none && (s.operation != Operation::publish || s.count == 0 || s.subscribers == 0))
    return "what is stored are messages of a count for subscribers";
  if (s.stored == Stored::retained && s.count != s.streams())
    return fmt::format("{} topics keep as many messages, not {}", s.streams(), s.count);
  if (s.stored == Stored::queued &&
      (s.publish_qos == mqtt::QoS::at_most_once || s.subscribe_qos == mqtt::QoS::at_most_once))
    return "sessions keep messages of QoS 1 and 2 only";
  if (s.stored != Stored::none && s.wiring == Wiring::shared) return "a shared subscription stores nothing";
  if (s.slow > 0 && (s.slow >= s.subscribers || s.count > 0 || s.wiring == Wiring::shared))
    return "slow readers (--slow) are some of the subscribers (--subscribers), of a run with a duration, and "
           "share "
           "nothing";
  if (s.wiring == Wiring::shared && s.unstamped()) return "who of a group got what is known by the stamp";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_fault(const Scenario& s) {
  if (std::uint64_t{s.publishers} + s.subscribers > clients_max)
    return fmt::format("{} publishers and {} subscribers are more than {} clients", s.publishers,
                       s.subscribers, clients_max);
  if (auto fault = find_operation_fault(s)) return fault;
  if (s.length() + s.drain > std::chrono::hours{24 * 366}) return "a run of more than a year is none";
  if (s.window && s.publish_qos == mqtt::QoS::at_most_once)
    return "a window is of messages in flight, and at QoS 0 there are none";
  if (!s.open_loop() && (s.arrival != Arrival::fixed || s.burst > 1))
    return "an arrival needs a schedule, which a closed loop has not";
  if (s.unstamped() && !s.pattern.has_run())
    return fmt::format(
        "payloads below the stamp's {} bytes are told apart from others' by {{run}} in the topic",
        Stamp::size);
  if (!s.takes_all() && s.topics() / s.subscribers > filters_max)
    return fmt::format(
        "{} topics are more than {} for each of {} subscribers; with the wiring \"all\" one filter "
        "takes them",
        s.topics(), filters_max, s.subscribers);
  return std::nullopt;
}

}  // namespace mq::bench
