#pragma once
#include <expected>
#include <memory>

#include "common/diag.hpp"
#include "common/exit_code.hpp"
#include "mqbench/meeting.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// Meets the other shards; all have come when it returns. Why not has been said otherwise. The secrets of
/// `config` have been asked for. A signal that ends it is raised again and does not return.
[[nodiscard]] std::expected<std::unique_ptr<Meeting>, ExitCode> meet_other_shards(const BenchConfig& config,
                                                                                  std::uint32_t run,
                                                                                  Diag& diag);

}  // namespace mq::bench
