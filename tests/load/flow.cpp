#include <fmt/format.h>

#include <algorithm>

#include "publisher.hpp"
#include "scenarios.hpp"
#include "subscriber.hpp"

namespace load {
namespace {

using namespace std::chrono_literals;

/// Publishers i and subscribers j meet on topic i % topics = j % topics.
class Flow {
 public:
  explicit Flow(const Args& args);

  [[nodiscard]] Outcome run();

 private:
  [[nodiscard]] std::string topic(std::size_t i) const {
    return fmt::format("{}{}", args_.text("topic-prefix"), i % topics_);
  }
  [[nodiscard]] std::uint64_t fan_out(std::size_t publisher) const;
  [[nodiscard]] std::optional<std::string> set_up();
  [[nodiscard]] std::optional<std::string> set_up(std::vector<std::unique_ptr<Subscriber>>& subscribers);
  void publish_for_a_while();
  void pump();
  [[nodiscard]] bool pump(std::size_t publisher);
  [[nodiscard]] bool may_send(std::size_t publisher) const;
  [[nodiscard]] std::chrono::nanoseconds wait() const;
  void drain();
  [[nodiscard]] bool finished_sending() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] std::uint64_t lost() const;
  void resume_stalled();
  [[nodiscard]] Json report(const Meter& meter) const;

  const Args& args_;
  Target target_;
  std::size_t topics_;
  mqtt::QoS qos_;
  std::uint64_t count_, ahead_;
  double rate_, seconds_, quiet_;
  Loop loop_;
  Receipts receipts_, stalled_receipts_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_, stalled_;
  std::vector<PublishTemplate> messages_;  // by publisher
  std::uint64_t sent_ = 0, expected_ = 0;
  std::uint64_t start_ns_ = 0;
  bool time_is_up_ = false;
};

Flow::Flow(const Args& args)
    : args_{args},
      target_{Target::from(args)},
      topics_{std::max<std::size_t>(args.number("topics"), 1)},
      qos_{static_cast<mqtt::QoS>(args.number("qos"))},
      count_{args.number("count")},
      ahead_{args.number("ahead")},
      rate_{args.real("rate")},
      seconds_{args.real("seconds")},
      quiet_{args.real("quiet")} {
  const std::string& prefix = args.text("client-prefix");
  const auto options = [&](std::string_view kind, std::size_t i) {
    return ConnectOptions{.client_id = fmt::format("{}{}{}", prefix, kind, i),
                          .session_expiry_seconds = static_cast<std::uint32_t>(args.number("expiry"))};
  };
  const auto size = std::max<std::size_t>(args.number("size"), stamp_bytes);
  for (std::size_t i = 0; i < args.number("publishers"); ++i) {
    publishers_.push_back(std::make_unique<Publisher>(loop_, options("p", i), static_cast<std::uint32_t>(i),
                                                      qos_,
                                                      static_cast<std::uint32_t>(args.number("window"))));
    messages_.emplace_back(topic(i), size, qos_, target_.version);
  }
  for (std::size_t i = 0; i < args.number("subscribers"); ++i)
    subscribers_.push_back(std::make_unique<Subscriber>(loop_, options("s", i), receipts_));
  for (std::size_t i = 0; i < args.number("stalled"); ++i)
    stalled_.push_back(std::make_unique<Subscriber>(loop_, options("x", i), stalled_receipts_));
}

std::uint64_t Flow::fan_out(std::size_t publisher) const {
  const std::size_t n = subscribers_.size(), of = publisher % topics_;
  return n / topics_ + (of < n % topics_ ? 1 : 0);
}

Outcome Flow::run() {
  if (const auto fault = set_up()) return std::unexpected(*fault);
  Meter meter{static_cast<pid_t>(args_.number("broker-pid"))};
  start_ns_ = now_ns();
  publish_for_a_while();
  drain();
  meter.stop(std::max(receipts_.last_ns, start_ns_ + 1));
  Json result = report(meter);
  if (args_.flag("resume")) {
    resume_stalled();
    result["stalled_delivered"] = stalled_receipts_.delivered;
  }
  return result;
}

std::optional<std::string> Flow::set_up() {
  if (auto fault = set_up(subscribers_)) return fault;
  if (auto fault = set_up(stalled_)) return fault;
  for (auto& stalled : stalled_) stalled->client().stop_reading();
  if (open_all(loop_, publishers_, target_) != publishers_.size()) return "publishers could not connect";
  return std::nullopt;
}

std::optional<std::string> Flow::set_up(std::vector<std::unique_ptr<Subscriber>>& subscribers) {
  if (open_all(loop_, subscribers, target_) != subscribers.size()) return "subscribers could not connect";
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    const std::string filter = topic(i);
    subscribers[i]->subscribe({&filter, 1}, qos_);
  }
  const auto subscribed = [](const auto& subscriber) {
    return subscriber->subscribed() && subscriber->refused_filters() == 0;
  };
  const bool all = loop_.run_until([&] { return std::ranges::all_of(subscribers, subscribed); }, 30s);
  return all ? std::nullopt : std::optional<std::string>{"a subscription was not granted"};
}

void Flow::publish_for_a_while() {
  const double limit = args_.real("limit");
  while (!finished_sending() && seconds_since(start_ns_) < limit) {
    time_is_up_ = seconds_ > 0 && seconds_since(start_ns_) >= seconds_;
    pump();
    loop_.turn(wait());
  }
}

/// With a rate one round at most per publisher and call, so that they take turns; without one, each
/// fills its buffer.
void Flow::pump() {
  if (rate_ <= 0) {
    for (std::size_t i = 0; i < publishers_.size(); ++i)
      while (pump(i)) continue;
    return;
  }
  const auto due = static_cast<std::uint64_t>(seconds_since(start_ns_) * rate_) + 1;
  for (std::size_t tries = 0; sent_ < due && tries < publishers_.size(); ++tries)
    if (pump(sent_ % publishers_.size())) tries = 0;
}

bool Flow::pump(std::size_t i) {
  if (!may_send(i) || !publishers_[i]->can_publish()) return false;
  publishers_[i]->publish(messages_[i]);
  ++sent_;
  expected_ += fan_out(i);
  return true;
}

bool Flow::may_send(std::size_t i) const {
  if (time_is_up_ || publishers_[i]->sent() >= count_) return false;
  return ahead_ == 0 || expected_ - receipts_.delivered < ahead_ * fan_out(i);
}

std::chrono::nanoseconds Flow::wait() const {
  if (rate_ <= 0) return 20ms;
  const double next = static_cast<double>(sent_) / rate_ - seconds_since(start_ns_);
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::clamp(next, 0.0, 0.02) * 1e9)};
}

bool Flow::finished_sending() const {
  if (std::ranges::none_of(publishers_, [](const auto& p) { return p->connected(); })) return true;
  return time_is_up_ || std::ranges::all_of(publishers_, [&](const auto& p) { return p->sent() >= count_; });
}

/// Until all is acknowledged and received, or nothing has come for a while.
void Flow::drain() {
  std::uint64_t seen = 0, since = now_ns();
  while (!complete() && seconds_since(since) < quiet_) {
    loop_.turn(10ms);
    std::uint64_t progress = receipts_.delivered + receipts_.duplicates;
    for (const auto& publisher : publishers_) progress += publisher->acked() + publisher->client().unsent();
    if (progress != seen) since = now_ns();
    seen = progress;
  }
}

bool Flow::complete() const {
  if (receipts_.delivered < expected_) return false;
  return std::ranges::all_of(publishers_,
                             [](const auto& p) { return p->in_flight() == 0 && p->client().unsent() == 0; });
}

std::uint64_t Flow::lost() const {
  std::uint64_t lost = 0;
  for (std::size_t s = 0; s < subscribers_.size(); ++s)
    for (std::size_t p = s % topics_; p < publishers_.size(); p += topics_)
      lost += subscribers_[s]->missing(static_cast<std::uint32_t>(p), publishers_[p]->sent());
  return lost;
}

void Flow::resume_stalled() {
  for (auto& stalled : stalled_) stalled->client().start_reading();
  std::uint64_t seen = 0, since = now_ns();
  while (seconds_since(since) < quiet_) {
    loop_.turn(10ms);
    if (stalled_receipts_.delivered != seen) since = now_ns();
    seen = stalled_receipts_.delivered;
  }
}

Json Flow::report(const Meter& meter) const {
  std::uint64_t acked = 0, refused = 0, unexpected = 0;
  for (const auto& publisher : publishers_) {
    acked += publisher->acked();
    refused += publisher->refused();
    unexpected += publisher->unexpected();
  }
  Json result{{"scenario", "flow"},
              {"qos", mqtt::to_number(qos_)},
              {"publishers", publishers_.size()},
              {"subscribers", subscribers_.size()},
              {"sent", sent_},
              {"acked", acked},
              {"refused", refused},
              {"unexpected_acks", unexpected},
              {"expected", expected_}};
  receipts_.report(result);
  result["lost"] = lost();
  result["publishers_lost"] = endings(publishers_);
  result["subscribers_lost"] = endings(subscribers_);
  meter.report(result);
  const double deliveries = std::max(static_cast<double>(receipts_.delivered), 1.0);
  result["sent_per_second"] = static_cast<double>(sent_) / meter.wall_seconds();
  result["deliveries_per_second"] = static_cast<double>(receipts_.delivered) / meter.wall_seconds();
  for (const std::string part : {"broker_cpu", "broker_first_thread_cpu"})
    if (const auto seconds = result.find(part + "_seconds"); seconds != result.end())
      result[part + "_us_per_delivery"] = seconds->get<double>() * 1e6 / deliveries;
  return result;
}

Outcome run_flow(const Args& args) { return Flow{args}.run(); }

}  // namespace

std::vector<Scenario> flow_scenarios() {
  const auto options = [](std::string_view subscribers, std::string_view stalled, std::string_view size,
                          std::string_view count, std::string_view rate) {
    return std::vector<Option>{{"publishers", "1"},
                               {"subscribers", subscribers},
                               {"topics", "1"},
                               {"qos", "0"},
                               {"size", size},
                               {"count", count},
                               {"seconds", "0"},
                               {"window", "20"},
                               {"ahead", "0"},
                               {"rate", rate},
                               {"stalled", stalled},
                               {"resume", "0"},
                               {"expiry", "0"},
                               {"quiet", "3"},
                               {"client-prefix", "load-"},
                               {"topic-prefix", "load/"}};
  };
  return {{"flow", "publishers to subscribers; count per publisher; ahead bounds what is not yet delivered",
           options("1", "0", "16", "100000", "0"), run_flow},
          {"slow", "many subscribers of one topic, some of which never read",
           options("1000", "1", "1024", "2000", "0"), run_flow},
          {"latency", "a slow flow, to see the time that a message takes",
           options("1", "0", "16", "10000", "1000"), run_flow}};
}

}  // namespace load
