// JSON Web Tokens and the files of their keys. The first byte says what follows: a token, which nobody has
// signed; a header, a newline and claims, which are signed then; or keys.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include <mqtt/auth/jwt.hpp>
#include <mqtt/session/scram_crypto.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>

using namespace mqtt;
using namespace mqtt::auth;

namespace {

constexpr double now = 1000;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(as_bytes(bytes));
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

const std::string& secret() {
  static const std::string made(32, 's');
  return made;
}

const std::vector<JwtKey>& keys() {
  static const std::vector<JwtKey> made{JwtKey::of_secret(secret()).value()};
  return made;
}

void read_token(std::string_view token) {
  (void)looks_like_jwt(token);
  require(!check_jwt(token, keys(), {}, "c", now));
}

void read_claims(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string signed_text =
      base64url(text.substr(0, end)) + "." + base64url(text.substr(std::min(end + 1, text.size())));
  const std::string token = signed_text + "." + base64url(hmac(ScramHash::sha256, secret(), signed_text));
  const auto grant = check_jwt(token, keys(), {.client_id_claim = "cid"}, "c", now);
  if (grant) require(!grant->user.empty() && grant->ends > now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text({data + 1, size - 1});
  if (data[0] == 0) {
    read_token(text);
  } else if (data[0] == 1) {
    read_claims(text);
  } else {
    const auto read = parse_jwt_keys(text);
    require(read ? !read->empty() : !read.error().empty());
  }
  return 0;
}
