#include "mqsub/sinks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/codec/topic.hpp>

#include "common/stdio.hpp"

namespace mq {
namespace {

/// A backup that is to be compared is read whole.
constexpr std::size_t backup_max_bytes = 256 * 1024 * 1024;

bool asks_for(const SubConfig& config, std::string_view topic) {
  return std::ranges::any_of(config.plan.subscriptions, [topic](const Subscription& each) {
    return mqtt::topic_matches(mqtt::split_shared(each.filter).filter, topic);
  });
}

mqtt::Result<RetainedDiff> read_difference(const SubConfig& config) {
  auto lines = read_file(config.retained_diff, backup_max_bytes);
  if (!lines) return std::unexpected(std::move(lines.error()));
  auto difference =
      RetainedDiff::read(*lines, [&config](std::string_view topic) { return asks_for(config, topic); });
  if (difference) return std::move(*difference);
  return std::unexpected(
      mqtt::Error{mqtt::ErrorDomain::system, 0,
                  fmt::format("cannot read '{}': {}", config.retained_diff, difference.error())});
}

mqtt::Result<std::unique_ptr<RecordFile>> open_record(const SubConfig& config) {
  if (!config.record.empty()) return RecordFile::append_to(config.record);
  if (!config.retained_backup.empty()) return RecordFile::replace(config.retained_backup);
  return nullptr;
}

}  // namespace

mqtt::Result<Sinks> open_sinks(const SubConfig& config) {
  Sinks sinks;
  auto record = open_record(config);
  if (!record) return std::unexpected(std::move(record.error()));
  sinks.record = std::move(*record);
  if (config.retained_diff.empty()) return sinks;
  auto difference = read_difference(config);
  if (!difference) return std::unexpected(std::move(difference.error()));
  sinks.difference = std::move(*difference);
  return sinks;
}

}  // namespace mq
