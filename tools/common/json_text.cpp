#include "common/json_text.hpp"

#include <bitset>
#include <cstdint>

namespace mq {
namespace {

/// Reads one JSON text, RFC 8259; iterative, so that nesting costs a bit and no stack.
class Checker {
 public:
  explicit Checker(std::string_view text) : at_{text.data()}, end_{text.data() + text.size()} {}

  bool check() {
    if (!value()) return false;
    while (depth_ > 0)
      if (!after_value()) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  bool value();
  bool after_value();
  bool open(bool object);
  bool key();
  bool string();
  bool escape();
  bool unit(std::uint32_t& code);
  bool number();
  bool digits();

  bool in_object() const { return objects_[depth_ - 1]; }
  char peek() const { return at_ < end_ ? *at_ : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!std::string_view{at_, end_}.starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  const char* at_;
  const char* end_;
  std::bitset<json_depth_max> objects_;  // which of the open containers are objects
  std::size_t depth_ = 0;
};

/// A value, or the opening of one down to its first scalar or empty container.
bool Checker::value() {
  for (;;) {
    skip_space();
    switch (peek()) {
      case '{':
        if (!open(true)) return false;
        if (take('}')) return --depth_, true;
        if (!key()) return false;
        break;
      case '[':
        if (!open(false)) return false;
        if (take(']')) return --depth_, true;
        break;
      case '"': return string();
      case 't': return take("true");
      case 'f': return take("false");
      case 'n': return take("null");
      default: return number();
    }
  }
}

/// What follows a value inside a container: its end, or a comma and the next value.
bool Checker::after_value() {
  skip_space();
  if (take(in_object() ? '}' : ']')) return --depth_, true;
  if (!take(',')) return false;
  if (in_object() && !key()) return false;
  return value();
}

bool Checker::open(bool object) {
  if (depth_ == json_depth_max) return false;
  ++at_;
  objects_[depth_++] = object;
  skip_space();
  return true;
}

bool Checker::key() {
  skip_space();
  if (peek() != '"' || !string()) return false;
  skip_space();
  return take(':');
}

bool Checker::string() {
  for (++at_; at_ < end_;) {
    const char c = *at_++;
    if (c == '"') return true;
    if (static_cast<std::uint8_t>(c) < 0x20) return false;
    if (c == '\\' && !escape()) return false;
  }
  return false;
}

bool Checker::escape() {
  if (at_ == end_) return false;
  const char letter = *at_++;
  if (letter != 'u') return std::string_view{"\"\\/bfnrt"}.find(letter) != std::string_view::npos;
  std::uint32_t code = 0;
  if (!unit(code)) return false;
  if (code < 0xD800 || code > 0xDFFF) return true;
  // A high surrogate, and only together with its low one.
  if (code > 0xDBFF || !take("\\u") || !unit(code)) return false;
  return code >= 0xDC00 && code <= 0xDFFF;
}

/// Four hexadecimal digits.
bool Checker::unit(std::uint32_t& code) {
  if (end_ - at_ < 4) return false;
  code = 0;
  for (const char* const stop = at_ + 4; at_ < stop; ++at_) {
    const char c = *at_;
    if (c >= '0' && c <= '9')
      code = code << 4 | static_cast<std::uint32_t>(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
      code = code << 4 | static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    else
      return false;
  }
  return true;
}

bool Checker::digits() {
  const char* const start = at_;
  while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
  return at_ > start;
}

bool Checker::number() {
  take('-');
  const bool leading_zero = take('0');
  if (!leading_zero && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (!take('e') && !take('E')) return true;
  if (!take('+')) take('-');
  return digits();
}

}  // namespace

bool is_json_text(std::string_view text) { return Checker{text}.check(); }

}  // namespace mq
