#include "mqpub/app.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "mqpub/inputs.hpp"
#include "mqpub/publisher.hpp"
#include "mqpub/spool.hpp"

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

/// How long a server keeps the session whose messages are in a spool, for a publisher that was killed.
constexpr std::uint32_t spool_session_seconds = 24 * 60 * 60;

/// Exactly once over a restart needs the same session, and so the same client id and packet identifiers.
mqtt::Result<std::unique_ptr<Spool>> open_spool(PubConfig& config, ClientSetup& setup) {
  if (config.spool.empty()) return nullptr;
  mqtt::ConnectOptions& connect = setup.options.connect;
  const auto origin = config.connection.client_id ? Spool::ClientId::given : Spool::ClientId::made_up;
  auto spool = Spool::open(config.spool, connect.client_id, origin);
  if (!spool) return spool;
  if (config.connection.client_id && (*spool)->client_id() != connect.client_id)
    return mqtt::fail(mqtt::ErrorDomain::system, EINVAL,
                      fmt::format("spool '{}' holds {} messages of client id '{}', not of '{}'", config.spool,
                                  (*spool)->size(), (*spool)->client_id(), connect.client_id));
  connect.client_id = (*spool)->client_id();
  if (config.spool_resume) config.skip_records = (*spool)->taken();
  if (!config.spool_resume) (*spool)->forget_input();
  if (config.connection.client_id) return spool;
  setup.options.own_session = false;
  connect.clean_start = false;
  const bool chosen =
      config.connection.typed.session_expiry || config.connection.properties.at(mqtt::PropertyPlace::connect)
                                                    .view()
                                                    .find(mqtt::PropertyId::session_expiry_interval);
  if (connect.version != mqtt::Version::v5 || chosen) return spool;
  connect.properties.set(mqtt::PropertyId::session_expiry_interval, spool_session_seconds);
  setup.ends_session = true;
  return spool;
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
  auto spool = open_spool(config, *setup);
  if (!spool) {
    diag.error(local_io_failed(spool.error()));
    return ExitCode::local_io;
  }
  mqtt::net::Loop loop;
  return Publisher{loop, config, std::move(*setup), std::move(*spool), loop.now()}.run();
}

}  // namespace mq
