// An ACL file, and what it says of a client and a topic or filter: FILE NUL USER NUL CLIENT NUL TOPIC. What
// may be read may be subscribed to, and nothing is allowed that no line of the file grants.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include <mqtt/broker/acl_file.hpp>
#include <mqtt/codec/topic.hpp>
#include <mqtt/util/bytes.hpp>

using namespace mqtt;
using namespace mqtt::broker;

namespace {

std::string_view take(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = as_text({data, size});
  const std::string_view file = take(rest), user = take(rest), client_id = take(rest), topic = take(rest);
  auto acl = AclFile::parse(file);
  if (!acl) {
    require(!acl.error().empty());
    return 0;
  }
  if (client_id.empty() || find_topic_filter_error(topic) || topic.starts_with("$share/")) return 0;
  Identity who{.client_id = std::string{client_id}, .user = {}, .address = {}};
  if (!user.empty()) who.user.make() = user;
  const bool granted = file.find("topic") != file.npos || file.find("pattern") != file.npos;
  const bool denies = file.find("deny=0x") != file.npos;  // the one word that has another reason code
  const auto refusal = acl->find_subscribe_fault(who, topic);
  const bool subscribes = !refusal;
  require(subscribes || *refusal == ReasonCode::not_authorized || denies);
  require(granted || !subscribes);
  if (has_wildcard(topic)) return 0;
  require(acl->may_receive(who, topic) == subscribes);
  const auto fault = acl->find_publish_fault(who, topic);
  require(granted || fault);
  require(!fault || *fault == ReasonCode::not_authorized || denies);
  return 0;
}
