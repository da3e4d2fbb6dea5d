#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "mqbench/threshold.hpp"

namespace mq::bench {

/// What is looked at during a run, and where its results go.
struct ResultsConfig {
  std::string json_file;  ///< "-" is standard output; empty: none
  std::string hdr_file;
  std::string csv_file;
  std::vector<pid_t> watched;  ///< processes of the broker
  std::vector<Threshold> thresholds;
  bool self = false;  ///< against a broker in this process
};

}  // namespace mq::bench
