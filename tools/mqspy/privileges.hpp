#pragma once
#include <mqtt/util/error.hpp>

namespace mq::spy {

/// Whether we are root for somebody who asked sudo for it.
[[nodiscard]] bool is_root_by_sudo();

/// Gives up, for good, what opening a capture needed: root becomes the user who asked sudo, or "nobody";
/// anybody else loses the capabilities of the program's file.
[[nodiscard]] mqtt::Result<void> drop_privileges();

}  // namespace mq::spy
