#pragma once
#include <string>
#include <string_view>

#include <mqtt/util/error.hpp>

namespace mqtt {

/// Whether `text` is its own SASLprep form (RFC 4013, as a stored string), so that it can stand in SCRAM as
/// it is: printable ASCII, and above that what saslprep_stable holds. The rest is an error of one clause that
/// begins with `what` ("the user name"): control characters, characters that SASLprep would change, and those
/// of scripts written from right to left, whose rules are not known here. Nothing is ever changed.
[[nodiscard]] Result<void> check_saslprep(std::string_view text, std::string_view what);

}  // namespace mqtt
