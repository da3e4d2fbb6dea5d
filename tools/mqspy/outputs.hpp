#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/util/error.hpp>

#include "mqspy/file_output.hpp"
#include "mqspy/options.hpp"
#include "mqspy/record.hpp"
#include "mqspy/selection.hpp"
#include "mqspy/tee.hpp"

namespace mq::spy {

/// What is shown, as text for `out`.
[[nodiscard]] std::unique_ptr<RecordSink> make_view(const SpyConfig& config, std::string& out);

/// All that the options ask for: what is shown on standard output, and the capture of -w.
class Outputs {
 public:
  [[nodiscard]] static mqtt::Result<std::unique_ptr<Outputs>> open(const SpyConfig& config);

  /// With --filter it takes only what that chooses.
  [[nodiscard]] RecordSink& sink() {
    if (filter_) return *filter_;
    return *tee_;
  }
  /// Writes what has gathered.
  [[nodiscard]] mqtt::Result<void> flush();
  [[nodiscard]] mqtt::Result<void> flush_if_full();

 private:
  Outputs() = default;

  FileOutput shown_{1, "standard output"};
  std::unique_ptr<FileOutput> capture_;
  std::vector<std::unique_ptr<RecordSink>> sinks_;
  std::unique_ptr<Tee> tee_;
  std::optional<FilterSink> filter_;
};

}  // namespace mq::spy
