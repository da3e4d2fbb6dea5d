// The broker's trees with many entries: what a match among 1,000,000 subscriptions takes, a replay of
// 100,000 retained messages, and what an entry costs in memory.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <mqtt/broker/retained_tree.hpp>
#include <mqtt/broker/topic_tree.hpp>

#include "bench/allocations.hpp"

namespace mqtt::bench {
namespace {

constexpr std::uint32_t subscription_count = 1'000'000;
constexpr std::uint32_t retained_count = 100'000;

/// How the filters of many subscribers look, and a topic that one of them wants.
struct Shape {
  const char* name;
  std::string (*filter)(std::uint32_t);
  std::string (*topic)(std::uint32_t);
};

std::string number(std::uint32_t i) { return std::to_string(i); }

constexpr Shape shapes[] = {
    {"device/N/command", [](std::uint32_t i) { return "device/" + number(i) + "/command"; },
     [](std::uint32_t i) { return "device/" + number(i) + "/command"; }},
    {"plant/A/line/B/+",
     [](std::uint32_t i) { return "plant/" + number(i / 1000) + "/line/" + number(i % 1000) + "/+"; },
     [](std::uint32_t i) { return "plant/" + number(i / 1000) + "/line/" + number(i % 1000) + "/speed"; }},
    {"+/N/#", [](std::uint32_t i) { return "+/" + number(i) + "/#"; },
     [](std::uint32_t i) { return "any/" + number(i) + "/a/b"; }},
    {"mixed, each level a name or '+'",
     [](std::uint32_t i) {
       std::string filter;
       for (std::uint32_t level = 0, rest = i; level < 6; ++level, rest /= 10)
         filter += rest % 10 == 0 ? "+/" : "level " + number(rest % 10) + '/';
       return filter + number(i / 500'000);
     },
     [](std::uint32_t i) {
       std::string topic;
       for (std::uint32_t level = 0, rest = i; level < 6; ++level, rest /= 10)
         topic += "level " + number(rest % 10) + '/';
       return topic + number(i / 500'000);
     }},
    {"$share/G/job/N", [](std::uint32_t i) { return "$share/group/job/" + number(i); },
     [](std::uint32_t i) { return "job/" + number(i); }},
};

struct Count {
  std::size_t matches = 0;
  void operator()(const broker::Subscription&) { ++matches; }
  void operator()(const broker::ShareGroup&) { ++matches; }
};

/// Puts the microseconds that each match took into `times`, as far as there is room, and sorts them.
void time_matches(benchmark::State& state, broker::TopicTree& tree, const std::vector<std::string>& topics,
                  Count& count, std::vector<double>& times) {
  using Clock = std::chrono::steady_clock;
  std::size_t which = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    tree.match(topics[which], count);
    if (times.size() < times.capacity())
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    which = which + 1 < topics.size() ? which + 1 : 0;
  }
  std::ranges::sort(times);
}

void BM_MatchAmongMillion(benchmark::State& state) {
  const Shape& shape = shapes[state.range(0)];
  state.SetLabel(shape.name);
  broker::TopicTree tree{1};
  for (std::uint32_t i = 0; i < subscription_count; ++i) tree.subscribe(shape.filter(i), {i, {}, 0});
  std::minstd_rand random{1};
  std::uniform_int_distribution<std::uint32_t> any{0, subscription_count - 1};
  std::vector<std::string> topics(50'000);
  std::ranges::generate(topics, [&] { return shape.topic(any(random)); });
  Count count;
  for (const std::string& topic : topics) tree.match(topic, count);  // its lists take their room
  count.matches = 0;
  std::vector<double> times;
  times.reserve(1'000'000);
  const std::size_t before = allocations();
  time_matches(state, tree, topics, count, times);
  state.counters["allocations"] = static_cast<double>(allocations() - before);
  state.counters["p50_us"] = times[times.size() / 2];
  state.counters["p99_us"] = times[times.size() * 99 / 100];
  state.counters["matches"] = static_cast<double>(count.matches) / static_cast<double>(state.iterations());
  state.counters["bytes_each"] = static_cast<double>(tree.memory_bytes()) / subscription_count;
}
// As many as asked for, in one go: to find a number by itself the library would fill the tree again and
// again.
BENCHMARK(BM_MatchAmongMillion)->DenseRange(0, std::ssize(shapes) - 1)->Iterations(50'000);

void BM_SubscribeAndUnsubscribeAmongMillion(benchmark::State& state) {
  const Shape& shape = shapes[0];
  broker::TopicTree tree{1};
  for (std::uint32_t i = 0; i < subscription_count; ++i) tree.subscribe(shape.filter(i), {i, {}, 0});
  std::uint32_t next = subscription_count;
  for (auto _ : state) {
    const std::string filter = shape.filter(next++);
    tree.subscribe(filter, {1, {}, 0});
    benchmark::DoNotOptimize(tree.unsubscribe(filter, 1));
  }
}
BENCHMARK(BM_SubscribeAndUnsubscribeAmongMillion)->Iterations(100'000);

void BM_ReplayOfRetained(benchmark::State& state) {
  broker::RetainedTree tree{1};
  const auto owner = std::make_shared<std::max_align_t>();
  // Never looked into: what is measured is the tree.
  const broker::MessagePtr message{owner,
                                   static_cast<const broker::Message*>(static_cast<void*>(owner.get()))};
  for (std::uint32_t i = 0; i < retained_count; ++i)
    tree.set("sensor/" + number(i / 100) + '/' + number(i % 100), message);
  for (auto _ : state) {
    broker::RetainedTree::Cursor cursor{tree, "#"};
    std::size_t count = 0;
    while (cursor.next()) ++count;
    if (count != retained_count) state.SkipWithError("not all came");
  }
  state.counters["bytes_each"] = static_cast<double>(tree.memory_bytes()) / retained_count;
}
BENCHMARK(BM_ReplayOfRetained)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mqtt::bench
