#pragma once
#include <memory>
#include <optional>

#include <mqtt/util/error.hpp>

#include "mqsub/options.hpp"
#include "mqsub/record_file.hpp"
#include "mqsub/retained_diff.hpp"

namespace mq {

/// Where messages go besides standard output, or what they are compared with.
struct Sinks {
  std::unique_ptr<RecordFile> record;  ///< null: none
  std::optional<RetainedDiff> difference;
};

/// Opens the files that `config` names.
[[nodiscard]] mqtt::Result<Sinks> open_sinks(const SubConfig& config);

}  // namespace mq
