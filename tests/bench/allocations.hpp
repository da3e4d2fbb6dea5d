#pragma once
#include <cstddef>

namespace mqtt::bench {

/// Calls of operator new in this program so far: a benchmark reports the difference.
std::size_t allocations();

}  // namespace mqtt::bench
