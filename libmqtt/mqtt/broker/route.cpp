#include <mqtt/broker/route.hpp>

#include <algorithm>

#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {
namespace {

/// A topic that is new pays for so many comparisons with filters, and so many are saved up. Beyond that all
/// routes end, and their publishers ask again: a client that subscribes all the time costs no more than they.
constexpr std::size_t comparisons_per_topic = 64;
constexpr std::size_t comparable_max = 64 * 1024;

}  // namespace

RouteValidity RouteTable::validity_of(std::string_view topic) {
  const auto known = topics_.find(topic);
  if (known != topics_.end() && *known->second) return known->second;
  if (topics_.size() >= tidy_at_) forget_unused();
  comparable_ = std::min(comparable_ + comparisons_per_topic, comparable_max);
  return topics_.insert_or_assign(std::string{topic}, std::make_shared<std::atomic<bool>>(true))
      .first->second;
}

/// Those whose routes nobody has any more.
void RouteTable::forget_unused() {
  std::erase_if(topics_, [](const auto& entry) { return entry.second.use_count() == 1; });
  tidy_at_ = std::max<std::size_t>(64, topics_.size() * 2);
}

void RouteTable::end_matching(std::string_view filter) {
  if (topics_.empty()) return;
  const std::string_view plain = split_shared(filter).filter;
  if (!has_wildcard(plain)) return end_of(plain);
  if (topics_.size() > comparable_) return end_all();
  comparable_ -= topics_.size();
  std::erase_if(topics_, [&](const auto& entry) {
    if (!topic_matches(plain, entry.first)) return false;
    entry.second->store(false);
    return true;
  });
}

void RouteTable::end_of(std::string_view topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  found->second->store(false);
  topics_.erase(found);
}

void RouteTable::end_all() {
  for (const auto& [topic, valid] : topics_) valid->store(false);
  topics_.clear();
}

}  // namespace mqtt::broker
