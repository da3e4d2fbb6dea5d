#include <mqtt/broker/acl_file.hpp>

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include <mqtt/broker/filter_relation.hpp>
#include <mqtt/codec/topic.hpp>
#include <mqtt/util/lines.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::broker {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// Takes the first word, and the blanks behind it.
std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

/// "0x97", if every packet that tells of a refusal may have it.
std::optional<ReasonCode> parse_code(std::string_view text) {
  std::uint8_t value = 0;
  const char* const end = text.data() + text.size();
  if (!text.starts_with("0x") || text.size() != 4) return std::nullopt;
  if (std::from_chars(text.data() + 2, end, value, 16).ptr != end) return std::nullopt;
  const auto code = static_cast<ReasonCode>(value);
  const auto fits = [code](PacketType type) { return reason_allowed(code, type, Sender::server); };
  const bool can_refuse = is_error(code) && fits(PacketType::puback) && fits(PacketType::suback) &&
                          fits(PacketType::connack);  // PUBREC has what PUBACK has
  return can_refuse ? std::optional{code} : std::nullopt;
}

constexpr std::string_view code_word = "deny=";

}  // namespace

/// Takes the file line by line.
class AclFile::Parser {
 public:
  /// A clause for a person if the line is none of ours.
  [[nodiscard]] std::optional<std::string> take(std::string_view line) {
    std::string_view rest = trim(line);
    if (rest.empty() || rest.starts_with('#')) return std::nullopt;
    const std::string_view keyword = take_word(rest);
    if (keyword == "user") return take_user(rest);
    if (keyword == "topic") return take_rule(rest, file_.users_[user_]);
    if (keyword == "pattern") return take_rule(rest, file_.patterns_);
    return fmt::format("'{}' is not topic, user, pattern or a comment", escape_for_terminal(keyword));
  }

  [[nodiscard]] AclFile take_file() {
    for (const Rule& rule : file_.patterns_) {
      file_.puts_user_in_ |= rule.filter.contains("%u");
      file_.puts_client_in_ |= rule.filter.contains("%c");
    }
    return std::move(file_);
  }

 private:
  std::optional<std::string> take_user(std::string_view name) {
    if (name.empty()) return "the user name is missing";
    if (!is_mqtt_utf8(as_bytes(name))) return "the user name is not text";
    user_ = name;
    return std::nullopt;
  }

  static std::optional<std::string> take_rule(std::string_view rest, Rules& rules) {
    std::string_view after = rest;
    const std::string_view word = take_word(after);
    const auto right = find_right(word);
    if (!right && word.starts_with(code_word))
      return fmt::format("'{}' is not {}0x80, 0x83, 0x87 or 0x97, which every refusal may have",
                         escape_for_terminal(word), code_word);
    // A topic of such a name would be taken for one that was forgotten, and the other way round.
    if (after.empty() && (right || word.empty())) return "the topic is missing";
    if (!after.empty() && !right)
      return fmt::format("'{}' is not read, write, readwrite or deny", escape_for_terminal(word));
    const std::string_view filter = after.empty() ? word : after;
    if (const auto fault = find_topic_filter_error(filter)) return std::string{fault->what};
    if (filter.starts_with("$share/"))
      return "what a shared subscription may read is said without $share/NAME/";
    add(rules, {std::string{filter}, right.value_or(Right{})});
    return std::nullopt;
  }

  AclFile file_;
  std::string user_;
};

std::expected<AclFile, std::string> AclFile::parse(std::string_view text) {
  Parser parser;
  for (int number = 1; !text.empty(); ++number)
    if (const auto fault = parser.take(take_line(text)))
      return std::unexpected(fmt::format("{}: {}", number, *fault));
  return parser.take_file();
}

bool AclFile::allows(Access given, Access wanted) {
  return (static_cast<unsigned>(given) & static_cast<unsigned>(wanted)) != 0;
}

std::optional<AclFile::Right> AclFile::find_right(std::string_view word) {
  if (word == "read") return Right{Access::read};
  if (word == "write") return Right{Access::write};
  if (word == "readwrite") return Right{Access::readwrite};
  if (word == "deny") return Right{Access::deny};
  if (!word.starts_with(code_word)) return std::nullopt;
  const auto code = parse_code(word.substr(code_word.size()));
  return code ? std::optional{Right{Access::deny, *code}} : std::nullopt;
}

void AclFile::add(Rules& rules, Rule rule) {
  if (rule.right.access == Access::deny)
    rules.push_front(std::move(rule));
  else
    rules.push_back(std::move(rule));
}

/// Its own rules, then the patterns; what none of them is about is forbidden.
template <class Judge>
std::optional<ReasonCode> AclFile::find_fault(const Identity& client, Judge judge) {
  const auto fault_of = [](const Rule& rule, bool allowed) {
    return allowed ? std::nullopt : std::optional{rule.right.code};
  };
  if (const auto own = users_.find(*client.user); own != users_.end())
    for (const Rule& rule : own->second)
      if (const std::optional<bool> verdict = judge(rule, std::string_view{rule.filter}))
        return fault_of(rule, *verdict);
  if (patterns_.empty() || !fits_patterns(client)) return ReasonCode::not_authorized;
  for (const Rule& rule : patterns_) {
    if (client.user->empty() && rule.filter.contains("%u")) continue;
    if (const std::optional<bool> verdict = judge(rule, with_names(rule.filter, client)))
      return fault_of(rule, *verdict);
  }
  return ReasonCode::not_authorized;
}

/// Not with a name that is more than one level of a topic, or a wildcard (CVE-2017-7650).
bool AclFile::fits_patterns(const Identity& client) const {
  const auto is_level = [](std::string_view name) { return name.find_first_of("/+#") == name.npos; };
  return (!puts_user_in_ || is_level(*client.user)) && (!puts_client_in_ || is_level(client.client_id));
}

/// In one pass: what a name looks like is not put in again.
std::string_view AclFile::with_names(const std::string& pattern, const Identity& client) {
  if (!pattern.contains('%')) return pattern;
  scratch_.clear();
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char next = pattern[at] == '%' && at + 1 < pattern.size() ? pattern[at + 1] : '\0';
    if (next == 'u' || next == 'c') {
      scratch_ += next == 'u' ? *client.user : client.client_id;
      ++at;
    } else {
      scratch_ += pattern[at];
    }
  }
  return scratch_;
}

std::optional<ReasonCode> AclFile::find_fault_of(const Identity& client, std::string_view topic,
                                                 Access wanted) {
  return find_fault(client, [&](const Rule& rule, std::string_view filter) -> std::optional<bool> {
    const bool speaks = rule.right.access == Access::deny || allows(rule.right.access, wanted);
    // A name that begins with '$' makes no rule about such topics.
    if (!speaks || topic.starts_with('$') != rule.filter.starts_with('$') || !topic_matches(filter, topic))
      return std::nullopt;
    return rule.right.access != Access::deny;
  });
}

std::optional<ReasonCode> AclFile::find_publish_fault(const Identity& client, std::string_view topic) {
  return find_fault_of(client, topic, Access::write);
}

bool AclFile::may_receive(const Identity& client, std::string_view topic) {
  return !find_fault_of(client, topic, Access::read);
}

std::optional<ReasonCode> AclFile::find_subscribe_fault(const Identity& client, std::string_view wanted) {
  const auto judge = [&](const Rule& rule, std::string_view filter) -> std::optional<bool> {
    if (wanted.starts_with('$') != rule.filter.starts_with('$')) return std::nullopt;
    if (rule.right.access == Access::deny)
      return filter_covers(filter, wanted) ? std::optional{false} : std::nullopt;
    const bool lets_through = allows(rule.right.access, Access::read) && filters_overlap(filter, wanted);
    return lets_through ? std::optional{true} : std::nullopt;
  };
  return find_fault(client, judge);
}

}  // namespace mqtt::broker
