#pragma once
#include "common/exit_code.hpp"

namespace mq {

/// "mqbroker passwd FILE USER": writes a user's password into a password file, which appears or changes as a
/// whole. `arguments` begin with "passwd".
[[nodiscard]] ExitCode change_password(int argc, char** arguments);

}  // namespace mq
