#pragma once
#include "common/diag.hpp"
#include "mqspy/connections.hpp"

namespace mq::spy {

/// Warns of what of a capture could not be looked at.
void tell_account(Diag& diag, const CaptureAccount& account);

}  // namespace mq::spy
