#include "mqbench/options_shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include <mqtt/util/text.hpp>

#include "common/connect_parts.hpp"
#include "common/value_checks.hpp"

namespace mq::bench {
namespace {

constexpr std::string_view shard_group = "Several machines";
/// A level of a topic that every broker takes.
constexpr std::size_t run_name_max = 64;

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? std::optional<std::string>{value} : std::nullopt;
}

ValueResult keep_shard(ShardConfig& config, std::string_view text) {
  const auto shard = text == "auto" ? shard_of_environment(variable) : parse_shard(text);
  if (!shard) return std::unexpected(shard.error());
  config.shard = *shard;
  return {};
}

ValueResult keep_rendezvous(ShardConfig& config, std::string_view url) {
  auto endpoint = mqtt::parse_endpoint(url);
  if (!endpoint) return std::unexpected(endpoint.error().context);
  if (!endpoint->topic.empty())
    return std::unexpected("the URL has a topic, but the topics are the rendezvous' own");
  config.rendezvous = std::move(*endpoint);
  return {};
}

ValueResult keep_run_name(ShardConfig& config, std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (text.empty() || text.size() > run_name_max || !std::ranges::all_of(text, plain))
    return std::unexpected(fmt::format("'{}' is not a name of 1 to {} letters, digits, '-', '_' and '.'",
                                       mqtt::escape_for_terminal(text), run_name_max));
  config.run_name = text;
  return {};
}

}  // namespace

void declare_shard_options(Options& o, ShardConfig& config) {
  o.parsed("--shard", [&config](std::string_view text) { return keep_shard(config, text); })
      .metavar("I/N|auto")
      .group(shard_group)
      .text(
          "this process is the I-th of N that do the run together, with every N-th client; auto asks MPI, "
          "Slurm, a "
          "Kubernetes Indexed Job or GNU parallel (the last two with MQBENCH_SHARDS=N)")
      .needs({"--rendezvous"})
      .example("--shard 1/3");
  o.parsed("--rendezvous", [&config](std::string_view url) { return keep_rendezvous(config, url); })
      .metavar("URL")
      .group(shard_group)
      .secret(detail::secrets_of_url)
      .text(
          "broker at which the shards meet; the one under test will do. TLS options and, without any in the "
          "URL, user "
          "name and password are those of the run")
      .needs({"--shard"});
  o.parsed("--run", [&config](std::string_view text) { return keep_run_name(config, text); })
      .metavar("NAME")
      .group(shard_group)
      .text("tells runs apart that meet at one broker at the same time (default: mqbench)")
      .needs({"--rendezvous"});
  o.duration("--rendezvous-timeout", config.patience)
      .metavar("DURATION")
      .group(shard_group)
      .must(some_time)
      .text("how long to wait for the other shards")
      .needs({"--rendezvous"});
}

}  // namespace mq::bench
