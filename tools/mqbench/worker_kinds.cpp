// What the clients of a worker are told: options that those of one kind and broker share.

#include <memory>
#include <utility>

#include "mqbench/worker.hpp"

namespace mq::bench {
namespace {

/// Who was cut off on purpose tries again soon: how many wait is the broker's to say.
constexpr mqtt::ReconnectPolicy at_once{.enabled = true,
                                        .first_too = false,
                                        .retry_max = std::nullopt,
                                        .min = std::chrono::milliseconds{1},
                                        .max = std::chrono::milliseconds{100}};
/// Longer than any run that waits for its subscribers.
constexpr std::uint32_t session_kept_s = 24 * 3600;

/// The client id is new: no session is there that Clean Start would end.
void keep_session(mqtt::ClientOptions& options) {
  options.connect.clean_start = false;
  if (options.connect.version == mqtt::Version::v5)
    options.connect.properties.set(mqtt::PropertyId::session_expiry_interval, session_kept_s);
}

/// Who is not there at the start is no outage. What is in flight at QoS 1 and 2 outlives a connection; at
/// QoS 0 there is nothing to keep, and a session would be another load.
void come_back(mqtt::ClientOptions& options, mqtt::QoS qos) {
  if (!options.reconnect.enabled) return;
  options.reconnect.first_too = false;
  options.own_session = qos != mqtt::QoS::at_most_once;  // the run's number is in the client id
  if (!options.own_session) options.connect.properties.remove(mqtt::PropertyId::session_expiry_interval);
}

}  // namespace

std::vector<ClientKinds> Worker::all_kinds() const {
  std::vector<ClientKinds> all;
  for (const BrokerSetup& broker : brokers_) all.push_back(client_kinds(broker.setup.options));
  return all;
}

ClientKinds Worker::client_kinds(const mqtt::ClientOptions& setup) const {
  const Scenario& scenario = plan_.scenario;
  mqtt::ClientOptions options = setup;
  if (scenario.topic_alias) options.session.alias_policy = mqtt::AliasPolicy::when_room;
  if (scenario.window) options.session.send_window = scenario.window;
  const auto shared = [](mqtt::ClientOptions of) {
    return std::make_shared<const mqtt::ClientOptions>(std::move(of));
  };
  ClientKinds kinds;
  mqtt::ClientOptions publisher = options;
  come_back(publisher, scenario.publish_qos);
  come_back(options, scenario.subscribe_qos);
  if (scenario.operation == Operation::reconnect) publisher.reconnect = at_once;
  kinds.publisher = shared(std::move(publisher));
  if (scenario.stored == Stored::queued) keep_session(options);
  kinds.subscriber = shared(options);
  options.own_session = true;  // its end is the session's
  kinds.returning = shared(std::move(options));
  return kinds;
}

}  // namespace mq::bench
