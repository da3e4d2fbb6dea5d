#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mqtt {

/// A view of bytes; whoever keeps them copies them.
using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline std::string to_string(Bytes bytes) { return std::string{as_text(bytes)}; }

[[nodiscard]] inline bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// Bytes with an owner: large payloads are referenced by every buffer that sends them, not copied.
/// A null owner means that the bytes live only as long as the call they are passed to.
struct SharedBytes {
  Bytes bytes;
  std::shared_ptr<const void> owner;

  /// Takes a string over and keeps it alive with the view.
  [[nodiscard]] static SharedBytes take(std::string text) {
    auto kept = std::make_shared<const std::string>(std::move(text));
    return {as_bytes(*kept), kept};
  }
};

}  // namespace mqtt
