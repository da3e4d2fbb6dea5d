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
///     user NAME
///     topic [ACCESS] FILTER      for this user; before the first one, for anonymous clients
///     pattern [ACCESS] FILTER    for everybody, with %u the user name and %c the client id
///
/// with read, write, readwrite or deny as ACCESS, and comments, which begin with '#'. What no rule allows is
/// forbidden, so an empty file forbids everything.
/// Ours alone is "deny=0x97": whom this rule refuses is told this reason code instead of 0x87, one that
/// PUBACK, PUBREC, SUBACK and, for a Will, CONNACK all may have. In what order a user's rules stand does not
/// matter: those that deny come first, then those that allow, then patterns in the same way. A rule that does
/// not begin with '$' says nothing of topics that do.
///
/// mosquitto takes every SUBSCRIBE and filters what is delivered. Here a SUBSCRIBE whose filter the rules let
/// nothing through is refused; what is delivered is filtered all the same. A user name or client id with '/',
/// '+' or '#' has no part in patterns if one of them would put it in: with '/' it could stand in somebody
/// else's place.
class AclFile final : public AccessControl {
 public:
  /// An error is the end of a sentence that begins with the file's name, "3: …"; no line is ever half taken.
  [[nodiscard]] static std::expected<AclFile, std::string> parse(std::string_view text);

  std::optional<ReasonCode> find_publish_fault(const Identity& client, std::string_view topic) override;
  std::optional<ReasonCode> find_subscribe_fault(const Identity& client, std::string_view filter) override;
  bool may_receive(const Identity& client, std::string_view topic) override;

 private:
  enum class Access : std::uint8_t { deny = 0, read = 1, write = 2, readwrite = 3 };
  /// What the word before a rule's filter says.
  struct Right {
    Access access = Access::readwrite;
    ReasonCode code = ReasonCode::not_authorized;  ///< of a refusal, if it denies
  };
  struct Rule {
    std::string filter;
    Right right{};
  };
  using Rules = std::deque<Rule>;  // those that deny first

  class Parser;

  [[nodiscard]] static bool allows(Access given, Access wanted);
  [[nodiscard]] static std::optional<Right> find_right(std::string_view word);
  static void add(Rules& rules, Rule rule);
  [[nodiscard]] std::optional<ReasonCode> find_fault_of(const Identity& client, std::string_view topic,
                                                        Access wanted);
  /// Calls `judge(rule, its filter with names put in)` for each rule about `client`, until it says whether
  /// that rule allows it. Nothing: allowed.
  template <class Judge>
  [[nodiscard]] std::optional<ReasonCode> find_fault(const Identity& client, Judge judge);
  [[nodiscard]] bool fits_patterns(const Identity& client) const;
  [[nodiscard]] std::string_view with_names(const std::string& pattern, const Identity& client);

  std::map<std::string, Rules, std::less<>> users_;  // "": anonymous
  Rules patterns_;
  bool puts_user_in_ = false;  // some pattern has %u
  bool puts_client_in_ = false;
  std::string scratch_;  // of with_names()
};

}  // namespace mqtt::broker
