#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/codec/types.hpp>

#include "common/diag.hpp"
#include "common/options.hpp"
#include "mqspy/pcapng_writer.hpp"
#include "mqspy/proxy_config.hpp"
#include "mqspy/replay_config.hpp"
#include "mqspy/selection_options.hpp"
#include "mqspy/view.hpp"

namespace mq::spy {

enum class Command : std::uint8_t { decode, read, lint, explain, proxy, replay, capture };

struct SpyConfig {
  Command command = Command::decode;
  std::vector<std::string> arguments;  ///< behind the command
  View view;
  std::string ladder_client;                ///< empty: all
  std::optional<std::string> capture_file;  ///< to write
  PcapStyle pcap_style = PcapStyle::pdu;
  LogSettings log;
  std::optional<mqtt::Version> version;  ///< of packets that do not say it
  std::optional<mqtt::Sender> sender;    ///< of packets whose direction is not known
  std::string interface;                 ///< capture: where
  bool coverage = false;                 ///< explain: what lint covers

  SelectionConfig selection;
  ProxyConfig proxy;  ///< its server is that of replay, too
  ReplayConfig replay;

  struct Typed {
    std::string command;
    unsigned verbosity = 0;
    bool json = false;
    bool group = false;
    bool statistics = false;
    bool ladder = false;
  };
  Typed typed;
};

[[nodiscard]] Program mqspy_program();
/// `config` must outlive parsing.
void declare_spy_options(Options& options, SpyConfig& config);
/// How records look.
void declare_view_options(Options& options, SpyConfig& config);

}  // namespace mq::spy
