#include "mqspy/clause_table.hpp"

#include <algorithm>

#include "clause_texts.hpp"

namespace mq::spy {
namespace {

std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t size = std::min(rest.find(end), rest.size());
  const std::string_view part = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return part;
}

std::vector<ClauseText> read_table() {
  std::vector<ClauseText> table;
  std::string_view rest = clause_texts;
  take_until(rest, '\n');  // the names of the columns
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    ClauseText& clause = table.emplace_back();
    for (std::string_view* column : {&clause.version, &clause.id, &clause.who, &clause.text})
      *column = take_until(line, '\t');
  }
  return table;
}

}  // namespace

const std::vector<ClauseText>& clause_table() {
  static const std::vector<ClauseText> table = read_table();
  return table;
}

}  // namespace mq::spy
