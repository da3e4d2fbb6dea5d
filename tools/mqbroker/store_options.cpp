#include "mqbroker/options.hpp"

// Options for what outlives the process.

namespace mq {
namespace {

using mqtt::store::Durability;

constexpr std::string_view keeping = "What is kept";

std::optional<std::string> check_database_name(const BrokerSettings& settings) {
  if (settings.database && settings.database->empty()) return "option '--db' needs the name of a file";
  return std::nullopt;
}

}  // namespace

void declare_store_options(Options& o, BrokerSettings& settings) {
  o.text("--db", settings.database)
      .file()
      .group(keeping)
      .default_text("memory only")
      .text(
          "keep sessions, their QoS 1 and 2 messages, retained messages and Wills in this SQLite database. "
          "What "
          "has been acknowledged is in it: a killed broker that starts again loses none of it, and sends no "
          "QoS "
          "2 message twice");
  o.choice("--durability", settings.durability,
           {{"full", Durability::full}, {"relaxed", Durability::relaxed}})
      .metavar("HOW")
      .group(keeping)
      .text(
          "full: what is acknowledged is on the disk. relaxed: the system has it, which is faster; a killed "
          "broker still loses nothing, but when the system or its power fails, what was acknowledged in the "
          "last moments (usually less than a minute) may be gone or come again")
      .needs({"--db"});
  o.rule([&settings] { return check_database_name(settings); });
  o.example("mqbroker --db /var/lib/mqbroker/mqbroker.db", "keep what is acknowledged");
}

}  // namespace mq
