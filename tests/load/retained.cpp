#include <fmt/format.h>

#include <algorithm>

#include "publisher.hpp"
#include "scenarios.hpp"
#include "subscriber.hpp"

namespace load {
namespace {

using namespace std::chrono_literals;

std::string topic(std::uint64_t i) { return fmt::format("retained/{:03}/{:06}", i % 1000, i); }

/// An empty payload takes the message away (3.3.1.3).
std::string clearing(std::uint64_t i, mqtt::Version version) {
  std::string packet{'\x31', '\0'};
  const std::string name = topic(i);
  packet += static_cast<char>(name.size() >> 8);
  packet += static_cast<char>(name.size() & 0xFF);
  packet += name;
  if (version == mqtt::Version::v5) packet += '\0';
  packet[1] = static_cast<char>(packet.size() - 2);
  return packet;
}

class Retained {
 public:
  explicit Retained(const Args& args)
      : args_{args},
        target_{Target::from(args)},
        broker_{static_cast<pid_t>(args.number("broker-pid"))},
        count_{args.number("count")},
        size_{std::max<std::size_t>(args.number("size"), stamp_bytes)} {}

  [[nodiscard]] Outcome run();

 private:
  [[nodiscard]] std::optional<std::string> fill();
  [[nodiscard]] std::optional<std::string> replay(Json& to);
  [[nodiscard]] std::optional<std::string> clear();

  const Args& args_;
  Target target_;
  pid_t broker_;
  std::uint64_t count_;
  std::size_t size_;
  Loop loop_;
  Publisher publisher_{loop_, {.client_id = "retained-p"}, 0, mqtt::QoS::at_least_once, 100};
};

Outcome Retained::run() {
  Json result{{"scenario", "retained"}, {"count", count_}, {"rss_before_bytes", rss_of(broker_)}};
  const std::uint64_t start = now_ns();
  if (const auto fault = fill()) return std::unexpected(*fault);
  result["fill_seconds"] = seconds_since(start);
  result["acked"] = publisher_.acked();
  result["rss_filled_bytes"] = rss_of(broker_);
  for (std::uint64_t i = 0; i < args_.number("replays"); ++i)
    if (const auto fault = replay(result)) return std::unexpected(*fault);
  if (const auto fault = clear()) return std::unexpected(*fault);
  result["rss_cleared_bytes"] = rss_of(broker_);
  return result;
}

std::optional<std::string> Retained::fill() {
  publisher_.open(target_, 0);
  if (!loop_.run_until([&] { return publisher_.settled(); }, 10s) || !publisher_.connected())
    return "the publisher could not connect";
  const auto filled = [&] {
    while (publisher_.sent() < count_ && publisher_.can_publish())
      publisher_.publish({topic(publisher_.sent()), size_, mqtt::QoS::at_least_once, target_.version, true});
    return !publisher_.connected() || (publisher_.sent() == count_ && publisher_.in_flight() == 0);
  };
  const auto limit = std::chrono::seconds{args_.number("limit")};
  if (!loop_.run_until(filled, limit) || publisher_.acked() != count_)
    return fmt::format("{} of {} retained messages were acknowledged", publisher_.acked(), count_);
  return std::nullopt;
}

/// From SUBSCRIBE to the last retained message of `#`; the fastest of all replays is reported.
std::optional<std::string> Retained::replay(Json& to) {
  Receipts receipts;
  Subscriber subscriber{loop_, {.client_id = "retained-s"}, receipts};
  subscriber.open(target_, 1);
  if (!loop_.run_until([&] { return subscriber.settled(); }, 10s) || !subscriber.connected())
    return "the subscriber could not connect";
  const std::string filter = args_.text("filter");
  Meter meter{broker_};
  const std::uint64_t start = now_ns();
  subscriber.subscribe({&filter, 1}, static_cast<mqtt::QoS>(args_.number("qos")));
  std::uint64_t seen = 0, since = start;
  while (receipts.delivered < count_ && seconds_since(since) < 3 && subscriber.connected()) {
    loop_.turn(10ms);
    if (receipts.delivered != seen) since = now_ns();
    seen = receipts.delivered;
  }
  const double seconds = static_cast<double>(receipts.last_ns - start) / 1e9;
  to["replay_seconds"] = std::min(to.value("replay_seconds", 1e9), seconds);
  to["replayed"] = std::min(to.value("replayed", count_), receipts.delivered);
  to["duplicates"] = to.value("duplicates", std::uint64_t{0}) + receipts.duplicates;
  meter.report(to);
  return std::nullopt;
}

std::optional<std::string> Retained::clear() {
  for (std::uint64_t i = 0; i < count_; ++i) {
    publisher_.client().send(clearing(i, target_.version));
    while (publisher_.connected() && publisher_.client().unsent() > 64 * 1024) loop_.turn(10ms);
  }
  publisher_.ping();  // its answer says that all before it was taken
  const bool answered = loop_.run_until([&] { return publisher_.pongs() == publisher_.pings(); }, 60s);
  return answered ? std::nullopt : std::optional<std::string>{"clearing was not answered"};
}

Outcome run_retained(const Args& args) { return Retained{args}.run(); }

}  // namespace

Scenario retained_scenario() {
  return {"retained",
          "fills retained messages, times the replay of a subscription, clears them",
          {{"count", "100000"}, {"size", "16"}, {"filter", "#"}, {"qos", "0"}, {"replays", "3"}},
          run_retained};
}

}  // namespace load
