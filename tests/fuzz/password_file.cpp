// A password file: FILE NUL USER. What is read gets a verifier for everybody, by every method that is
// offered, and what is kept for SCRAM-SHA-256 is written as it was read.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <mqtt/auth/password_file.hpp>
#include <mqtt/util/bytes.hpp>

using namespace mqtt;
using namespace mqtt::auth;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  const std::size_t end = std::min(text.find('\0'), size);
  const std::string_view user = text.substr(std::min(end + 1, size));
  const auto file = PasswordFile::parse(text.substr(0, end));
  require(file || !file.error().empty());
  if (!file) return 0;
  require(file->size() > 0 || !file->offers(ScramHash::sha256));
  for (const ScramHash hash : {ScramHash::sha256, ScramHash::sha512}) {
    if (!file->offers(hash)) continue;
    const ScramVerifier verifier = file->scram_verifier(hash, user);
    require(verifier.hash == hash && verifier.iterations > 0 && !verifier.salt.empty());
    if (hash != ScramHash::sha256) continue;
    const auto again = parse_scram_sha256(to_text(verifier));
    require(again && again->salt == verifier.salt && again->stored_key == verifier.stored_key);
  }
  return 0;
}
