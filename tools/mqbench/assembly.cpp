#include "mqbench/assembly.hpp"

#include <fmt/format.h>

#include <functional>
#include <random>
#include <utility>

#include "common/signals.hpp"
#include "mqbench/scenario_json.hpp"

namespace mq::bench {
namespace {

constexpr mqtt::Duration arrival_interval = std::chrono::milliseconds{10};
constexpr mqtt::Duration roll_interval = std::chrono::seconds{1};

/// The run's connection, but to the rendezvous.
ConnectionConfig connection_to(const mqtt::Endpoint& rendezvous, ConnectionConfig config) {
  config.transport = rendezvous.transport;
  config.hosts.clear();
  config.unix_path.clear();
  config.service.clear();
  if (rendezvous.transport == mqtt::Transport::unix_socket)
    config.unix_path = rendezvous.path;
  else
    config.hosts.push_back({rendezvous.host, rendezvous.port});
  if (mqtt::uses_websocket(rendezvous.transport)) config.ws_path = rendezvous.path;
  if (rendezvous.user_name) {
    config.user_name = rendezvous.user_name;
    config.password = {.value = rendezvous.password};
  }
  return config;
}

RendezvousConfig rendezvous_of(const BenchConfig& config, std::uint32_t run) {
  std::random_device random;
  return {.shard = *config.sharding.shard,
          .name = config.sharding.run_name,
          .nonce = static_cast<std::uint64_t>(random()) << 32 | random(),
          .run = run,
          .scenario = hash_of(config.scenario),
          .publishers = config.scenario.publishers,
          .streams = config.scenario.streams(),
          .patience = config.sharding.patience,
          .to_time_of_day =
              Diag::system_clock().time_since_epoch() - mqtt::net::Loop{}.refresh_now().time_since_epoch()};
}

/// Says how many shards have come: whenever that changes, but not for each of a thousand.
class RollCall {
 public:
  RollCall(const ShardConfig& config, Diag& diag) : config_{config}, diag_{diag} {}

  void note(mqtt::TimePoint now, std::uint32_t present) {
    if (present == told_ || now < again_) return;
    told_ = present;
    again_ = now + roll_interval;
    diag_.info(fmt::format("{} of {} shards of run '{}' have come", present, config_.shard->count,
                           config_.run_name));
  }

 private:
  const ShardConfig& config_;
  Diag& diag_;
  std::uint32_t told_ = 1;
  mqtt::TimePoint again_{};
};

/// Until all have come or nobody waits any more. The signal that ended it, or 0.
int wait_for_all(const Meeting& meeting, RollCall roll_call) {
  mqtt::net::Loop loop;
  Signals signals{loop, {.on_stop = [&loop] { loop.stop(); }, .on_statistics = [] {}}};
  std::function<void()> look;
  mqtt::net::Timer timer{loop, [&look] { look(); }};
  look = [&] {
    const Meeting::View view = meeting.look();
    if (view.run || view.failure) return loop.stop();
    roll_call.note(loop.refresh_now(), view.present);
    timer.set(loop.now() + arrival_interval);
  };
  look();
  loop.run();
  return signals.stop_signal();
}

}  // namespace

std::expected<std::unique_ptr<Meeting>, ExitCode> meet_other_shards(const BenchConfig& config,
                                                                    std::uint32_t run, Diag& diag) {
  const ConnectionConfig connection = connection_to(*config.sharding.rendezvous, config.connection);
  auto setup = make_client_setup(connection, "mqbench");
  if (!setup) {
    diag.error(setup.error().sentence);
    return std::unexpected(setup.error().code);
  }
  const Where where = where_of(connection, *setup);
  auto meeting = std::make_unique<Meeting>(rendezvous_of(config, run), std::move(*setup), where);
  diag.info(fmt::format("shard {} waits for the others of run '{}' at {}", config.sharding.shard->name(),
                        config.sharding.run_name, connection.where()));
  const int signal = wait_for_all(*meeting, RollCall{config.sharding, diag});
  const auto failure = meeting->look().failure;
  if (signal == 0 && !failure) return meeting;
  meeting.reset();  // which tells the others
  if (signal != 0) die_by(signal);
  diag.error(failure->what);
  return std::unexpected(failure->code);
}

}  // namespace mq::bench
