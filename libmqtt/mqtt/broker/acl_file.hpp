#pragma once
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/broker/access.hpp>

namespace mqtt::broker {

/// Rules in the format of mosquitto's acl_file:
///
///     topic [read|write|readwrite|deny] FILTER      for the user of the line above, at first for anonymous
///     clients user NAME pattern [read|write|readwrite|deny] FILTER    for everybody, with %u the user name
///     and %c the client id
///
/// and comments, which begin with '#'. What no rule allows is forbidden, so an empty file forbids everything.
/// In what order a user's rules stand does not matter: those that deny come first, then those that allow,
/// then patterns in the same way. A rule that does not begin with '$' says nothing of topics that do.
///
/// mosquitto takes every SUBSCRIBE and filters what is delivered. Here a SUBSCRIBE whose filter the rules let
/// nothing through is refused; what is delivered is filtered all the same. A user name or client id with '/',
/// '+' or '#' has no part in patterns if one of them would put it in: with '/' it could stand in somebody
/// else's place.
class AclFile final : public AccessControl {
 public:
  /// An error is the end of a sentence that begins with the file's name, "3: …"; no line is ever half taken.
  [[nodiscard]] static std::expected<AclFile, std::string> parse(std::string_view text);

  bool may_publish(const Identity& client, std::string_view topic) override;
  std::optional<ReasonCode> find_subscribe_fault(const Identity& client, std::string_view filter) override;
  bool may_receive(const Identity& client, std::string_view topic) override;

 private:
  enum class Access : std::uint8_t { deny = 0, read = 1, write = 2, readwrite = 3 };
  struct Rule {
    std::string filter;
    Access access = Access::readwrite;
  };
  using Rules = std::deque<Rule>;  // those that deny first

  class Parser;

  [[nodiscard]] static bool allows(Access given, Access wanted);
  [[nodiscard]] static std::optional<Access> find_access(std::string_view word);
  static void add(Rules& rules, Rule rule);
  [[nodiscard]] bool may(const Identity& client, std::string_view topic, Access wanted);
  /// Calls `judge(rule, its filter with names put in)` for each rule about `client`, until it gives
  /// something.
  template <class Judge>
  [[nodiscard]] bool decide(const Identity& client, Judge judge);
  [[nodiscard]] bool fits_patterns(const Identity& client) const;
  [[nodiscard]] std::string_view with_names(const std::string& pattern, const Identity& client);

  std::map<std::string, Rules, std::less<>> users_;  // "": anonymous
  Rules patterns_;
  bool puts_user_in_ = false;  // some pattern has %u
  bool puts_client_in_ = false;
  std::string scratch_;  // of with_names()
};

}  // namespace mqtt::broker
