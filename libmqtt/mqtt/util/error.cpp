#include <mqtt/util/error.hpp>

#include <system_error>

namespace mqtt {

Error system_error(int code, std::string_view what) {
  std::string text{what};
  text += ": ";
  text += std::generic_category().message(code);
  return Error{ErrorDomain::system, code, std::move(text)};
}

}  // namespace mqtt
