#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/net/tls.hpp>

#include "common/listen_place.hpp"
#include "common/options.hpp"
#include "common/secrets.hpp"

namespace mq {

/// What can be said for each listener, and for all of them together.
struct ListenerTraits {
  mqtt::net::TlsOptions tls;
  SecretSource key_password;
  bool certificate_names_user = false;
  bool proxy_protocol = false;
  bool allow_anonymous = false;
  mode_t unix_mode = 0660;
  std::size_t connections_max = 0;  ///< through this listener; 0: no limit of its own
};

struct ListenerSettings {
  ListenPlace place;
  ListenerTraits traits;
  std::string where;        ///< "mq.toml:3", or empty
  std::optional<int> fd{};  ///< a socket that listens there already
};

/// Options and keys of a [[listener]] table, but its url and max-connections.
void declare_listener_traits(Options& options, ListenerTraits& traits);

/// Reads one [[listener]]: what it does not say is as in `common`.
[[nodiscard]] std::expected<ListenerSettings, std::string> read_listener(const SettingsTable& table,
                                                                         const ListenerTraits& common);

/// Whom the broker lets in, if the listener says nothing else.
enum class Admission : std::uint8_t { anybody, password };

/// A sentence if its settings do not go together, or would let anybody in from elsewhere.
[[nodiscard]] std::optional<std::string> find_fault(const ListenerSettings& listener, Admission admission);

}  // namespace mq
