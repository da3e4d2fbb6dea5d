#include "messages/json_pretty.hpp"

#include <algorithm>
#include <string_view>

namespace mq {
namespace {

constexpr std::size_t indent = 2;

class PrettyPrinter {
 public:
  PrettyPrinter(std::string_view text, std::string& out) : rest_{text}, out_{out} {}

  void print() {
    while (!rest_.empty()) print_one();
  }

 private:
  void print_one();
  void print_string();
  void open(char bracket);
  void close(char bracket);
  void break_line() { out_.append("\n").append(indent * depth_, ' '); }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
  std::string& out_;
  std::size_t depth_ = 0;
};

void PrettyPrinter::print_string() {
  std::size_t end = 1;
  while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2U : 1U;
  end = std::min(end + 1, rest_.size());
  out_ += rest_.substr(0, end);
  rest_.remove_prefix(end);
}

void PrettyPrinter::open(char bracket) {
  out_ += bracket;
  rest_.remove_prefix(1);
  skip_space();
  const char closing = bracket == '{' ? '}' : ']';
  if (rest_.starts_with(closing)) {  // empty containers stay on their line
    out_ += closing;
    rest_.remove_prefix(1);
    return;
  }
  ++depth_;
  break_line();
}

void PrettyPrinter::close(char bracket) {
  if (depth_ > 0) --depth_;
  break_line();
  out_ += bracket;
  rest_.remove_prefix(1);
}

void PrettyPrinter::print_one() {
  skip_space();
  if (rest_.empty()) return;
  const char c = rest_.front();
  if (c == '"') return print_string();
  if (c == '{' || c == '[') return open(c);
  if (c == '}' || c == ']') return close(c);
  out_ += c;
  rest_.remove_prefix(1);
  if (c == ',') break_line();
  if (c == ':') out_ += ' ';
}

}  // namespace

void make_json_pretty(std::string& out, std::size_t start) {
  const std::string compact = out.substr(start);
  out.resize(start);
  PrettyPrinter{compact, out}.print();
}

}  // namespace mq
