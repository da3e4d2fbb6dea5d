// Filter and name, split at the first newline. Matching is checked against a second, recursive definition.
#include <cstdlib>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/bytes.hpp>

using namespace mqtt;

namespace {

std::string_view rest_after(std::string_view path, std::size_t slash) { return path.substr(slash + 1); }

bool matches_by_definition(std::string_view filter, std::string_view name) {
  if (filter == "#") return true;
  const std::size_t f = filter.find('/'), n = name.find('/');
  const std::string_view wanted = filter.substr(0, f), level = name.substr(0, n);
  if (wanted != "+" && wanted != level) return false;
  if (f == filter.npos) return n == name.npos;
  if (n == name.npos) return rest_after(filter, f) == "#";
  return matches_by_definition(rest_after(filter, f), rest_after(name, n));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  const std::size_t split = text.find('\n');
  if (split == text.npos || size > 2000) return 0;
  const std::string_view filter = text.substr(0, split), name = text.substr(split + 1);
  const auto name_error = find_topic_name_error(name);
  if (name_error && name_error->offset > name.size()) std::abort();
  const auto filter_error = find_topic_filter_error(filter);
  if (filter_error && filter_error->offset > filter.size()) std::abort();
  if (name_error || filter_error) return 0;
  const std::string_view inner = split_shared(filter).filter;
  if (inner.empty()) std::abort();
  const bool shielded = name[0] == '$' && (inner[0] == '+' || inner[0] == '#');
  if (topic_matches(inner, name) != (!shielded && matches_by_definition(inner, name))) std::abort();
  return 0;
}
