#include "mqspy/outputs.hpp"

#include <utility>

#include "mqspy/json_records.hpp"
#include "mqspy/line_writer.hpp"

namespace mq::spy {

std::unique_ptr<RecordSink> make_view(const SpyConfig& config, std::string& out) {
  if (config.view.form == Form::json) return std::make_unique<JsonRecords>(out, config.view);
  return std::make_unique<LineWriter>(out, config.view);
}

mqtt::Result<std::unique_ptr<Outputs>> Outputs::open(const SpyConfig& config) {
  std::unique_ptr<Outputs> outputs{new Outputs};
  outputs->sinks_.push_back(make_view(config, outputs->shown_.buffer()));
  std::vector<RecordSink*> sinks;
  for (const auto& sink : outputs->sinks_) sinks.push_back(sink.get());
  outputs->tee_ = std::make_unique<Tee>(std::move(sinks));
  if (config.selection.filter) outputs->filter_.emplace(*config.selection.filter, *outputs->tee_);
  return outputs;
}

mqtt::Result<void> Outputs::flush() {
  if (auto written = shown_.flush(); !written) return written;
  return capture_ ? capture_->flush() : mqtt::Result<void>{};
}

mqtt::Result<void> Outputs::flush_if_full() {
  if (auto written = shown_.flush_if_full(); !written) return written;
  return capture_ ? capture_->flush_if_full() : mqtt::Result<void>{};
}

}  // namespace mq::spy
