#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mq::bench {

/// One process's part of a run that several share: every count-th client, beginning with its index. The union
/// of all shards is the run as one process would do it: the same clients, streams and due times.
struct Shard {
  static constexpr std::uint32_t count_max = 1024;

  std::uint32_t index = 0;  ///< from 0; people and files see it from 1
  std::uint32_t count = 1;

  bool operator==(const Shard&) const = default;

  /// Of `total` that are dealt out in turn.
  [[nodiscard]] std::uint32_t part_of(std::uint32_t total) const {
    return total / count + (index < total % count ? 1 : 0);
  }
  /// "2/3"
  [[nodiscard]] std::string name() const;
};

/// "2/3": the second of three. A sentence if it is not.
[[nodiscard]] std::expected<Shard, std::string> parse_shard(std::string_view text);

/// A variable of the environment; nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// What the starter of this process says: MPI (OMPI_COMM_WORLD_RANK and _SIZE, PMI_RANK and _SIZE), Slurm
/// (SLURM_PROCID, SLURM_NTASKS), a Kubernetes Indexed Job (JOB_COMPLETION_INDEX) or GNU parallel
/// (PARALLEL_SEQ); the last two do not say how many there are, so MQBENCH_SHARDS must. A sentence if nobody
/// says it, one only half, or two not the same.
[[nodiscard]] std::expected<Shard, std::string> shard_of_environment(const Environment& environment);

}  // namespace mq::bench
