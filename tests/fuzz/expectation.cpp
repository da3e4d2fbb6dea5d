// An expression, a newline, and a payload: it is refused with a reason, or judges.
#include <cstdlib>

#include "messages/expectation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = mqtt::as_text({data, size});
  const std::size_t split = text.find('\n');
  // Back-references make POSIX regular expressions exponential: those are the user's own.
  if (split == text.npos || size > 300 || text.find('~') != text.npos) return 0;
  const auto expectation = mq::Expectation::parse(text.substr(0, split));
  if (!expectation && expectation.error().empty()) std::abort();
  if (expectation)
    (void)expectation->matches({.topic = "a/b", .payload = mqtt::as_bytes(text.substr(split + 1))});
  return 0;
}
