#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <vector>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt::fuzz {

/// The fuzzer's bytes, used up from the front; zeros when they are gone.
class Input {
 public:
  explicit Input(Bytes bytes) : rest_{bytes} {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  /// A copy of its own, so that reading past it is seen by the address sanitizer.
  std::vector<std::uint8_t> take(std::size_t size) {
    const Bytes part = rest_.first(size < rest_.size() ? size : rest_.size());
    rest_ = rest_.subspan(part.size());
    return {part.begin(), part.end()};
  }

 private:
  Bytes rest_;
};

/// What must hold whatever the peer sends.
inline void require(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s:%u\n", where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

/// Takes up to `size` bytes out, as a transport would.
inline void write_some(OutBuffer& output, std::size_t size) {
  const std::size_t part = size < output.size() ? size : output.size();
  if (part > 0) output.consume(part);
}

}  // namespace mqtt::fuzz
