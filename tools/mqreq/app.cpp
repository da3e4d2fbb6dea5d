#include "mqreq/app.hpp"

#include <random>
#include <utility>

#include <mqtt/codec/types.hpp>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "common/stdio.hpp"
#include "mqreq/requester.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;

template <std::size_t N>
std::string random_bytes() {
  std::random_device device;
  std::string bytes;
  while (bytes.size() < N) bytes.push_back(static_cast<char>(device() & 0xFF));
  return bytes;
}

/// Where the replies may go is the server's to say, unless the user does.
void ask_for_response_information(const ReqConfig& config, mqtt::ConnectOptions& connect) {
  const bool given = connect.properties.view().find(PropertyId::request_response_information).has_value();
  if (config.response_topic.empty() && !given)
    connect.properties.add(PropertyId::request_response_information, 1);
}

}  // namespace

ExitCode request(const ReqConfig& config) {
  Diag diag{"mqreq", config.connection.log};
  auto payload = config.file ? read_file(*config.file, mqtt::remaining_length_max)
                             : mqtt::Result<std::string>{config.message};
  if (!payload) {
    diag.error(local_io_failed(payload.error()));
    return ExitCode::local_io;
  }
  auto setup = make_client_setup(config.connection, "mqreq");
  if (!setup) {
    diag.error(setup.error().sentence);
    return setup.error().code;
  }
  setup->options.session.ack_mode = mqtt::AckMode::manual;
  if (config.qos == mqtt::QoS::at_most_once) setup->options.own_session = false;  // it would keep nothing
  ask_for_response_information(config, setup->options.connect);
  cap_receive_maximum(setup->options.connect, config.replies);
  mqtt::net::Loop loop;
  const RequestSecrets secrets{.correlation = random_bytes<16>(), .topic = random_bytes<8>()};
  return Requester{loop, config, std::move(*setup), mqtt::SharedBytes::take(std::move(*payload)), secrets}
      .run();
}

}  // namespace mq
