#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mqtt::broker {

/// Owned text of one topic level in 16 bytes: up to 14 bytes stand in place, longer ones on the heap.
/// A level has at most 65,535 bytes (4.7.3).
class LevelText {
 public:
  explicit LevelText(std::string_view text) : size_{static_cast<std::uint16_t>(text.size())} {
    char* to = room_.data();
    if (size_ > room_.size()) {
      to = new char[size_];
      std::memcpy(room_.data(), &to, sizeof to);
    }
    text.copy(to, size_);
  }
  ~LevelText() {
    if (heap_bytes() > 0) delete[] heap();
  }
  LevelText(const LevelText&) = delete;
  LevelText& operator=(const LevelText&) = delete;

  [[nodiscard]] std::string_view view() const { return {heap_bytes() > 0 ? heap() : room_.data(), size_}; }
  /// What it holds besides itself.
  [[nodiscard]] std::size_t heap_bytes() const { return size_ > room_.size() ? size_ : 0; }

 private:
  [[nodiscard]] const char* heap() const {
    const char* text;
    std::memcpy(&text, room_.data(), sizeof text);
    return text;
  }

  std::uint16_t size_;
  std::array<char, 14> room_{};  // the text, or the address of it
};
static_assert(sizeof(LevelText) == 16);

}  // namespace mqtt::broker
