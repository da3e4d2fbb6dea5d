#include "mqpub/app.hpp"

#include <utility>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "mqpub/inputs.hpp"
#include "mqpub/publisher.hpp"

namespace mq {
namespace {

/// Messages in flight where the server allows more: enough for any network, small enough to keep.
constexpr std::uint16_t in_flight_max = 1024;

/// What can be known to fail without reading is known before anything is sent.
mqtt::Result<void> find_inputs(PubConfig& config) {
  if (config.source != PayloadSource::inputs) return {};
  if (!config.directory.empty()) {
    auto files = list_directory(config.directory);
    if (!files) return std::unexpected(std::move(files.error()));
    config.inputs = std::move(*files);
  }
  return check_readable(config.inputs);
}

}  // namespace

ExitCode publish(PubConfig config) {
  Diag diag{"mqpub", config.connection.log};
  auto setup = make_client_setup(config.connection, "mqpub");
  if (!setup) {
    diag.error(setup.error().sentence);
    return setup.error().code;
  }
  if (!setup->options.session.send_window) setup->options.session.send_window = in_flight_max;
  if (!config.acknowledged()) setup->options.own_session = false;  // nothing is sent again
  // Messages that a kept session brings are for a subscriber: they stay unacknowledged.
  setup->options.session.ack_mode = mqtt::AckMode::manual;
  if (const auto found = find_inputs(config); !found) {
    diag.error(local_io_failed(found.error()));
    return ExitCode::local_io;
  }
  mqtt::net::Loop loop;
  return Publisher{loop, config, std::move(*setup), loop.now()}.run();
}

}  // namespace mq
