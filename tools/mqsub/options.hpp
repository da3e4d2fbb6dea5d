#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "common/connect_options.hpp"
#include "common/options.hpp"
#include "messages/output_options.hpp"
#include "messages/subscriber.hpp"
#include "mqsub/executor.hpp"
#include "mqsub/goal.hpp"
#include "mqsub/presenter.hpp"
#include "mqsub/selection.hpp"

namespace mq {

struct SubConfig {
  ConnectionConfig connection;
  SubscriptionPlan plan;
  SelectionConfig selection;
  OutputConfig output;
  PresenterConfig view;
  bool events = false;  ///< --events
  EndingConfig ending;
  ExecConfig exec;
  std::string record;            ///< --record; empty: none
  std::string retained_backup;   ///< --retained-backup; empty: none
  std::string retained_diff;     ///< --retained-diff; empty: none
  bool remove_retained = false;  ///< --remove-retained
  bool dry_run = false;          ///< --dry-run

  /// As the options were typed, before they are joined.
  struct Typed {
    std::vector<std::string> filters;        ///< -t
    std::vector<std::string> subscriptions;  ///< --sub
    mqtt::SubscriptionOptions subscription;  ///< of -t, and where --sub does not say
    bool message_rate = false;
    bool watch = false;
    bool tree = false;
    std::optional<std::uint16_t> stats_depth;  ///< --stats
  };
  Typed typed;
};

[[nodiscard]] Program mqsub_program();
/// `config` must outlive parsing.
void declare_sub_options(Options& options, SubConfig& config);

}  // namespace mq
