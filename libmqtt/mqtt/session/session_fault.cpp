#include <mqtt/session/session_fault.hpp>

namespace mqtt {

std::unexpected<Error> fail(SessionFault fault, std::string context) {
  return fail(ErrorDomain::session, static_cast<int>(fault), std::move(context));
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

}  // namespace mqtt
