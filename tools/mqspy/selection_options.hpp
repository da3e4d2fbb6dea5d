#pragma once
#include <optional>

#include "common/options.hpp"
#include "mqspy/selection.hpp"

namespace mq::spy {

/// Which records are shown, and which are waited for.
struct SelectionConfig {
  std::optional<Selector> filter;
  WatchSink::Wishes wishes;
};

void declare_selection_options(Options& options, SelectionConfig& config);

}  // namespace mq::spy
