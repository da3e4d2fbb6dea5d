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
  publishers = scaled(publishers, factor);
  subscribers = scaled(subscribers, factor);
  rate *= factor;
  ramp *= factor;
}

std::optional<std::string> find_fault(const Scenario& s) {
  if (std::uint64_t{s.publishers} + s.subscribers > clients_max)
    return fmt::format("{} publishers and {} subscribers are more than {} clients", s.publishers,
                       s.subscribers, clients_max);
  if (s.length() + s.drain > std::chrono::hours{24 * 366}) return "a run of more than a year is none";
  if (s.window && s.publish_qos == mqtt::QoS::at_most_once)
    return "a window is of messages in flight, and at QoS 0 there are none";
  if (!s.open_loop() && (s.arrival != Arrival::fixed || s.burst > 1))
    return "an arrival needs a schedule, which a closed loop has not";
  if (s.unstamped() && !s.pattern.has_run())
    return fmt::format(
        "payloads below the stamp's {} octets are told apart from others' by {{run}} in the topic",
        Stamp::size);
  if (!s.takes_all() && s.topics() / s.subscribers > filters_max)
    return fmt::format(
        "{} topics are more than {} for each of {} subscribers; with the wiring \"all\" one filter "
        "takes them",
        s.topics(), filters_max, s.subscribers);
  return std::nullopt;
}

}  // namespace mq::bench
