#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "publisher.hpp"
#include "scenarios.hpp"
#include "subscriber.hpp"

namespace load {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t filters_per_packet = 100;

/// Filter i of a building's sensors; each tenth has a wildcard, and still only topic(i) matches it.
std::string filter(std::uint64_t i) {
  return i % 10 == 0 ? fmt::format("site/{}/+/{}/state", i % 1000, i)
                     : fmt::format("site/{}/room/{}/state", i % 1000, i);
}
std::string topic(std::uint64_t i) { return fmt::format("site/{}/room/{}/state", i % 1000, i); }

/// Subscriptions spread over connections, then messages that each match exactly one. As many messages to the
/// same connections, measured while each had one subscription, are the cost of everything but the matching.
class Subs {
 public:
  explicit Subs(const Args& args);
  [[nodiscard]] Outcome run();

 private:
  [[nodiscard]] std::optional<std::string> connect();
  [[nodiscard]] bool subscribe_up_to(std::uint64_t end);
  void subscribe_next(std::size_t connection, std::uint64_t end);
  [[nodiscard]] Json publish(std::uint64_t subscriptions);

  const Args& args_;
  Target target_;
  pid_t broker_;
  std::uint64_t subscriptions_, messages_;
  Loop loop_;
  Receipts receipts_;
  std::vector<std::unique_ptr<Subscriber>> sessions_;
  std::vector<std::uint64_t> next_;  // filter of each connection: its number, then steps of their count
  Publisher publisher_{loop_, {.client_id = "subs-p"}, 0, mqtt::QoS::at_most_once, 1};
};

Subs::Subs(const Args& args)
    : args_{args},
      target_{Target::from(args)},
      broker_{static_cast<pid_t>(args.number("broker-pid"))},
      subscriptions_{args.number("subscriptions")},
      messages_{args.number("messages")} {
  for (std::size_t i = 0; i < args.number("connections"); ++i) {
    sessions_.push_back(std::make_unique<Subscriber>(
        loop_, ConnectOptions{.client_id = fmt::format("subs-{}", i)}, receipts_));
    next_.push_back(i);
  }
}

Outcome Subs::run() {
  if (const auto fault = connect()) return std::unexpected(*fault);
  Json result{{"scenario", "subs"}, {"subscriptions", subscriptions_}, {"connections", sessions_.size()}};
  result["rss_before_bytes"] = rss_of(broker_);
  if (!subscribe_up_to(sessions_.size())) return std::unexpected("not all first subscriptions were answered");
  result["against_few"] = publish(sessions_.size());
  const std::uint64_t start = now_ns();
  if (!subscribe_up_to(subscriptions_)) return std::unexpected("not all subscriptions were answered");
  result["subscribe_seconds"] = seconds_since(start);
  std::uint64_t refused = 0;
  for (const auto& session : sessions_) refused += session->refused_filters();
  result["refused"] = refused;
  result["rss_subscribed_bytes"] = rss_of(broker_);
  result["against_all"] = publish(subscriptions_);
  return result;
}

std::optional<std::string> Subs::connect() {
  if (open_all(loop_, sessions_, target_) != sessions_.size()) return "subscribers could not connect";
  publisher_.open(target_, 0);
  if (!loop_.run_until([&] { return publisher_.settled(); }, 10s) || !publisher_.connected())
    return "the publisher could not connect";
  return std::nullopt;
}

bool Subs::subscribe_up_to(std::uint64_t end) {
  const auto all = [&] {
    bool done = true;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (sessions_[i]->connected() && sessions_[i]->subscribed()) subscribe_next(i, end);
      done = done && sessions_[i]->subscribed();
    }
    return done;
  };
  return loop_.run_until(all, std::chrono::seconds{args_.number("limit")});
}

void Subs::subscribe_next(std::size_t connection, std::uint64_t end) {
  std::vector<std::string> filters;
  std::uint64_t& i = next_[connection];
  for (; i < end && filters.size() < filters_per_packet; i += sessions_.size()) filters.push_back(filter(i));
  if (!filters.empty()) sessions_[connection]->subscribe(filters, mqtt::QoS::at_most_once);
}

/// One message at a time in the broker would measure the sockets; a window keeps it busy.
Json Subs::publish(std::uint64_t subscriptions) {
  std::minstd_rand random{11};  // NOLINT: the same topics each time
  const std::uint64_t before = receipts_.delivered, sent_before = publisher_.sent();
  const std::uint64_t window = args_.number("window");
  Receipts fresh;
  std::swap(receipts_.latency, fresh.latency);
  Meter meter{broker_};
  std::uint64_t seen = before, since = now_ns();
  for (std::uint64_t sent = 0; receipts_.delivered - before < messages_ && seconds_since(since) < 3;) {
    while (sent < messages_ && sent - (receipts_.delivered - before) < window && publisher_.can_publish()) {
      const std::uint64_t number = (random() * std::uint64_t{2'147'483'647} + random()) % subscriptions;
      publisher_.publish({topic(number), stamp_bytes, mqtt::QoS::at_most_once, target_.version});
      ++sent;
    }
    loop_.turn(10ms);
    if (receipts_.delivered != seen) since = now_ns();
    seen = receipts_.delivered;
  }
  Json result{{"sent", publisher_.sent() - sent_before}, {"delivered", receipts_.delivered - before}};
  result["latency_us"] = receipts_.latency.report();
  meter.report(result);
  if (result.contains("broker_cpu_seconds"))
    result["broker_cpu_us_per_message"] =
        result["broker_cpu_seconds"].get<double>() * 1e6 / static_cast<double>(messages_);
  result["messages_per_second"] = static_cast<double>(messages_) / meter.wall_seconds();
  return result;
}

Outcome run_subs(const Args& args) { return Subs{args}.run(); }

}  // namespace

Scenario subs_scenario() {
  return {"subs",
          "many subscriptions, then messages that match one each",
          {{"subscriptions", "1000000"}, {"connections", "1000"}, {"messages", "200000"}, {"window", "100"}},
          run_subs};
}

}  // namespace load
