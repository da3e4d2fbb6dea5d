#include "mqspy/outputs.hpp"

#include <utility>

#include "mqspy/group_writer.hpp"
#include "mqspy/json_records.hpp"
#include "mqspy/ladder_writer.hpp"
#include "mqspy/line_writer.hpp"
#include "mqspy/pcapng_writer.hpp"
#include "mqspy/statistics.hpp"

namespace mq::spy {

std::unique_ptr<RecordSink> make_view(const SpyConfig& config, std::string& out) {
  switch (config.view.shape) {
    case Shape::statistics: return std::make_unique<Statistics>(out, config.view);
    case Shape::ladder: return std::make_unique<LadderWriter>(out, config.view, config.ladder_client);
    case Shape::exchanges: return std::make_unique<GroupWriter>(out, config.view);
    case Shape::packets: break;
  }
  if (config.view.form == Form::json) return std::make_unique<JsonRecords>(out, config.view);
  return std::make_unique<LineWriter>(out, config.view);
}

mqtt::Result<std::unique_ptr<Outputs>> Outputs::open(const SpyConfig& config) {
  std::unique_ptr<Outputs> outputs{new Outputs};
  outputs->sinks_.push_back(make_view(config, outputs->shown_.buffer()));
  if (config.capture_file) {
    auto file = FileOutput::create(*config.capture_file);
    if (!file) return std::unexpected(std::move(file.error()));
    outputs->capture_ = std::make_unique<FileOutput>(std::move(*file));
    outputs->sinks_.push_back(
        std::make_unique<PcapngWriter>(outputs->capture_->buffer(), config.view, config.pcap_style));
  }
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
