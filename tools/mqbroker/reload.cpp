#include "mqbroker/reload.hpp"

#include <utility>

#include "mqbroker/listeners.hpp"

namespace mq {
namespace {

/// The two that may change are read as at the start; other keys have been, and stay as they were.
std::expected<LogDetail, std::string> read_detail(const BrokerSettings& settings) {
  if (settings.typed.log_detail || !settings.typed.config_file)
    return detail_of(settings.verbose, settings.log.debug);
  auto file = read_settings_file(*settings.typed.config_file);
  if (!file) return std::unexpected(std::move(file.error()));
  std::erase_if(file->settings,
                [](const Setting& one) { return one.key != "verbose" && one.key != "debug"; });
  bool verbose = false;
  bool debug = false;
  Options options{{.name = "", .summary = "", .usage = ""}};
  options.flag("--verbose", verbose);
  options.flag("--debug", debug);
  if (auto sentence = options.read_settings(file->settings)) return std::unexpected(std::move(*sentence));
  return detail_of(verbose, debug);
}

}  // namespace

LogDetail detail_of(bool verbose, bool debug) {
  if (debug) return LogDetail::packets;
  return verbose ? LogDetail::connections : LogDetail::plain;
}

std::expected<Reloadable, std::string> read_files(const BrokerSettings& settings,
                                                  const std::vector<ListenerSettings>& listeners) {
  auto opened = make_listeners(listeners);
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto passwords = read_passwords(settings.password_file);
  if (!passwords) return std::unexpected(std::move(passwords.error()));
  auto token_keys = read_token_keys(settings.tokens.keys_file, settings.tokens.secret_file);
  if (!token_keys) return std::unexpected(std::move(token_keys.error()));
  auto rules = read_rules(settings.acl_file);
  if (!rules) return std::unexpected(std::move(rules.error()));
  const auto detail = read_detail(settings);
  if (!detail) return std::unexpected(detail.error());
  return Reloadable{std::move(*opened), std::move(*passwords), std::move(*token_keys), std::move(*rules),
                    *detail};
}

}  // namespace mq
