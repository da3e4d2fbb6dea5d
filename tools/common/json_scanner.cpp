#include "common/json_scanner.hpp"

#include <algorithm>
#include <charconv>

#include "common/json_text.hpp"

namespace mq {
namespace {

constexpr std::string_view blanks = " \t\r\n";

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  if (code < 0x10000)
    return put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F));
  put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
}

/// What the letter after a backslash stands for; nothing for one that has no meaning.
std::optional<char> escaped_letter(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return std::nullopt;
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

}  // namespace

bool JsonScanner::fail(std::string_view what, std::size_t offset) {
  if (failed()) return false;
  what_ = what;
  fault_at_ = offset;
  return false;
}

void JsonScanner::skip_blanks() {
  while (at_ < text_.size() && blanks.find(text_[at_]) != std::string_view::npos) ++at_;
}

char JsonScanner::peek() {
  skip_blanks();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonScanner::take_if(char c) {
  if (failed() || peek() != c || at_ == text_.size()) return false;
  ++at_;
  return true;
}

bool JsonScanner::take(char c) {
  if (take_if(c)) return true;
  return fail(at_ == text_.size() ? "the object is cut off" : std::string{"there should be a '"} + c + "'");
}

bool JsonScanner::at_end() {
  skip_blanks();
  return at_ == text_.size();
}

/// From the opening quote to behind the closing one; what is between is not checked but for its end.
bool JsonScanner::skip_string() {
  const std::size_t start = at_++;
  for (;;) {
    at_ = text_.find_first_of("\"\\", at_);
    if (at_ == std::string_view::npos) {
      at_ = text_.size();
      return fail("a string has no end", start);
    }
    if (text_[at_] == '"') return ++at_, true;
    at_ = std::min(at_ + 2, text_.size());
  }
}

std::optional<std::string_view> JsonScanner::string(std::string& storage) {
  if (failed()) return std::nullopt;
  if (peek() != '"') return fail("there should be a string"), std::nullopt;
  const std::size_t start = at_ + 1;
  if (!skip_string()) return std::nullopt;
  const std::string_view raw = text_.substr(start, at_ - 1 - start);
  bool plain = true;
  for (const char c : raw) {
    if (is_control(c)) return fail("a control character stands in a string", start), std::nullopt;
    plain = plain && c != '\\';
  }
  if (plain) return raw;
  if (!unescape(raw, storage)) return std::nullopt;
  return storage;
}

bool JsonScanner::unescape(std::string_view raw, std::string& storage) {
  const auto offset = [&](std::string_view rest) {
    return static_cast<std::size_t>(rest.data() - text_.data());
  };
  storage.clear();
  while (!raw.empty()) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    storage += raw.substr(0, plain);
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    const std::string_view escape = raw;
    raw.remove_prefix(1);  // skip_string() has seen that a character follows
    if (raw.front() != 'u') {
      const auto letter = escaped_letter(raw.front());
      if (!letter) return fail("a backslash escapes nothing that JSON knows", offset(escape));
      storage.push_back(*letter);
      raw.remove_prefix(1);
      continue;
    }
    auto code = code_unit(raw);
    if (code && *code >= 0xD800 && *code <= 0xDBFF && raw.starts_with("\\u")) {
      raw.remove_prefix(1);
      const auto low = code_unit(raw);
      const bool pair = low && *low >= 0xDC00 && *low <= 0xDFFF;
      code = pair ? std::optional{0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00)} : std::nullopt;
    }
    if (!code || (*code >= 0xD800 && *code <= 0xDFFF))
      return fail("a \\u escape is no character", offset(escape));
    append_utf8(storage, *code);
  }
  return true;
}

/// "uXXXX" from the front of `rest`.
std::optional<unsigned> JsonScanner::code_unit(std::string_view& rest) {
  constexpr std::size_t digits = 4;
  if (rest.size() < 1 + digits) return std::nullopt;
  unsigned code = 0;
  const char* const first = rest.data() + 1;
  const auto [end, fault] = std::from_chars(first, first + digits, code, 16);
  if (fault != std::errc{} || end != first + digits) return std::nullopt;
  rest.remove_prefix(1 + digits);
  return code;
}

std::optional<RawJson> JsonScanner::value() {
  if (failed()) return std::nullopt;
  const std::size_t from = at_;
  const char first = peek();
  const std::size_t start = at_;
  if (first == '"') {
    if (!skip_string()) return std::nullopt;
  } else if (first == '{' || first == '[') {
    if (!skip_containers()) return std::nullopt;
  } else {
    at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
  }
  const std::string_view text = text_.substr(start, at_ - start);
  if (!is_json_text(text)) {
    fail(start == text_.size() ? "the object is cut off" : "that is no JSON value", start);
    return std::nullopt;
  }
  skip_blanks();
  return RawJson{text, text_.substr(from, at_ - from)};
}

/// To behind the bracket that closes the one at the front; whether the kinds match is checked later.
bool JsonScanner::skip_containers() {
  const std::size_t start = at_;
  for (std::size_t depth = 0; at_ < text_.size();) {
    at_ = text_.find_first_of("\"[]{}", at_);
    if (at_ == std::string_view::npos) break;
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    ++at_;
    depth += c == '[' || c == '{' ? 1u : 0u;
    if ((c == ']' || c == '}') && --depth == 0) return true;
  }
  at_ = text_.size();
  return fail("an array or object has no end", start);
}

}  // namespace mq
