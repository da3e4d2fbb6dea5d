#pragma once
#include <mqtt/session/client_session.hpp>

namespace mqtt {

/// What is wrong with CONNECT options before they are sent: fields that the version does not have,
/// strings and topics that no packet may carry, properties that do not belong there.
[[nodiscard]] Result<void> check_connect(const ConnectOptions& options);

/// The packet, as views of `options`.
[[nodiscard]] ConnectView to_view(const ConnectOptions& options);

}  // namespace mqtt
