#include "mqbench/shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <mqtt/util/text.hpp>

namespace mq::bench {
namespace {

/// How one kind of starter numbers its processes.
struct Starter {
  std::string_view name;
  const char* rank;
  const char* count;
  std::uint32_t first;  // the lowest rank
};

constexpr std::array starters{
    Starter{"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", 0},
    Starter{"PMI", "PMI_RANK", "PMI_SIZE", 0},
    Starter{"Slurm", "SLURM_PROCID", "SLURM_NTASKS", 0},
    Starter{"a Kubernetes Indexed Job", "JOB_COMPLETION_INDEX", "MQBENCH_SHARDS", 0},
    Starter{"GNU parallel", "PARALLEL_SEQ", "MQBENCH_SHARDS", 1},
};

using MaybeShard = std::expected<std::optional<Shard>, std::string>;

/// Nothing if this starter has not started us: without a rank, a count is that of an allocation.
MaybeShard ask(const Starter& starter, const Environment& environment) {
  const auto rank_text = environment(starter.rank);
  const auto count_text = environment(starter.count);
  if (!rank_text) return std::nullopt;
  if (!count_text)
    return std::unexpected(
        fmt::format("{} has set {}, but {} is not set", starter.name, starter.rank, starter.count));
  const auto rank = mqtt::parse_number<std::uint32_t>(*rank_text);
  const auto count = mqtt::parse_number<std::uint32_t>(*count_text);
  const bool good =
      rank && count && *count <= Shard::count_max && *rank >= starter.first && *rank - starter.first < *count;
  if (good) return Shard{*rank - starter.first, *count};
  return std::unexpected(fmt::format(
      "{}={} and {}={} are no shard: ranks are {} to count - 1{}, of at most {}", starter.rank,
      mqtt::escape_for_terminal(*rank_text), starter.count, mqtt::escape_for_terminal(*count_text),
      starter.first, starter.first == 0 ? "" : " + 1", Shard::count_max));
}

std::string all_names() {
  std::string names;
  for (const Starter& each : starters)
    names += fmt::format("{}{} with {}", names.empty() ? "" : ", ", each.rank, each.count);
  return names;
}

}  // namespace

std::string Shard::name() const { return fmt::format("{}/{}", index + 1, count); }

std::expected<Shard, std::string> parse_shard(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto number = mqtt::parse_number<std::uint32_t>(text.substr(0, slash));
  const auto count = mqtt::parse_number<std::uint32_t>(text.substr(std::min(slash + 1, text.size())));
  if (number && count && *number >= 1 && *number <= *count && *count <= Shard::count_max)
    return Shard{*number - 1, *count};
  return std::unexpected(
      fmt::format("'{}' is neither auto nor a shard such as 1/3, the first of three, of at most {}",
                  mqtt::escape_for_terminal(text), Shard::count_max));
}

std::expected<Shard, std::string> shard_of_environment(const Environment& environment) {
  std::optional<Shard> found;
  const Starter* said_by = nullptr;
  for (const Starter& starter : starters) {
    const auto shard = ask(starter, environment);
    if (!shard) return std::unexpected(shard.error());
    if (!*shard) continue;
    if (found && *found != **shard)
      return std::unexpected(fmt::format("{} and {} do not say the same: {} is {}, and {} is {}; give I/N",
                                         said_by->name, starter.name, said_by->rank, found->name(),
                                         starter.rank, (*shard)->name()));
    found = **shard;
    said_by = &starter;
  }
  if (found) return *found;
  return std::unexpected(fmt::format("nobody says which shard this is; looked for {}", all_names()));
}

}  // namespace mq::bench
