// SCRAM's four messages, each read by its side at its turn. Nothing but the right words gets an end: the
// password's proof and the server's signature are in no input.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include <mqtt/session/scram.hpp>
#include <mqtt/util/bytes.hpp>

using namespace mqtt;

namespace {

constexpr std::string_view challenge = "r=clientserver,s=c2FsdA==,i=4096";

/// Counting two million iterations shows nothing that nine thousand do not.
bool takes_long(std::string_view text) {
  constexpr std::size_t digits_max = 4;
  const std::size_t count = text.find(",i=");
  if (count == std::string_view::npos) return false;
  const std::string_view value = text.substr(count + 3);
  return std::min(value.find(','), value.size()) > digits_max;
}

ScramVerifier nobody(std::string_view user) {
  return unknown_user_verifier(ScramHash::sha1, user, "secret", 4, ScramClient::iterations_min);
}

void read_as_client(std::string_view text, bool last) {
  ScramClient client{ScramHash::sha1, "user", "password", "client"};
  if (!last) {
    const auto answer = client.answer(text);
    if (answer && !answer->starts_with("c=biws,r=client")) std::abort();
    return;
  }
  if (!client.answer(challenge) || client.finish(text)) std::abort();
}

void read_as_server(std::string_view text, bool last) {
  ScramServer server{ScramHash::sha1, "server"};
  if (!last) {
    const auto answer = server.begin(text, nobody);
    if (answer && server.user().empty()) std::abort();
    return;
  }
  if (!server.begin("n,,n=user,r=client", nobody) || server.finish(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text({data + 1, size - 1});
  const bool last = (data[0] & 2) != 0;
  if ((data[0] & 1) != 0)
    read_as_server(text, last);
  else if (!takes_long(text))
    read_as_client(text, last);
  return 0;
}
