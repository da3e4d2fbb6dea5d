#pragma once
#include <optional>
#include <string>

#include "common/options.hpp"
#include "mqsub/options.hpp"

// The parts of declare_sub_options(), which is too much for one file.

namespace mq::detail {

void declare_subscription_options(Options& options, SubConfig& config);
void declare_selection_options(Options& options, SubConfig& config);
void declare_action_options(Options& options, SubConfig& config);
void declare_ending_options(Options& options, SubConfig& config);

/// Joins the options into a SubscriptionPlan; a sentence if they do not go together.
[[nodiscard]] std::optional<std::string> join_subscriptions(const Options& options, SubConfig& config);

/// Completes what --exec, --record and their like ask for; after the connection's own rules.
[[nodiscard]] std::optional<std::string> join_actions(const Options& options, SubConfig& config);

}  // namespace mq::detail
