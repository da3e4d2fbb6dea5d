#include "common/value_checks.hpp"
#include "mqbroker/options.hpp"

// Options for who may connect, and what he may do.

namespace mq {
namespace {

void declare_rules(Options& o, BrokerSettings& settings) {
  o.text("--acl-file", settings.acl_file)
      .file()
      .group("What clients may do")
      .default_text("everything")
      .text(
          "clients may publish and read only what this file allows, in mosquitto's format: lines 'topic "
          "[read|write|readwrite|deny] FILTER' for the user of the line 'user NAME' above them, at first for "
          "anonymous clients, and 'pattern [...] FILTER' for everybody, with %u for the user name and %c for "
          "the client id; a name with '/', '+' or '#' has no part in patterns. A subscription that nothing "
          "could "
          "come through is refused; what Will, retained and shared messages tell is filtered by the same "
          "rules. "
          "'deny=0x97' tells 5.0 clients this reason code instead of 0x87 (or 0x80, 0x83); mosquitto does "
          "not "
          "know it")
      .example("--acl-file rules");
}

void declare_tokens(Options& o, BrokerSettings::Tokens& tokens) {
  constexpr std::string_view group = "Who may connect";
  o.text("--jwt-keys", tokens.keys_file)
      .file()
      .group(group)
      .text(
          "let in who shows a JSON Web Token that is signed with one of these keys, as password or by the "
          "authentication method JWT: public keys (PEM; RS256, ES256) or a key set (JWKS; HS256 too). A "
          "token "
          "needs an end ('exp'), and so does the connection; its user is who the token says")
      .example("--jwt-keys keys.json --jwt-audience mqtt");
  o.text("--jwt-secret-file", tokens.secret_file)
      .file()
      .group(group)
      .text(
          "the same with the secret in this file, of at least 32 bytes (HS256); a newline at its end is "
          "none of it");
  o.text("--jwt-audience", tokens.rules.audience)
      .must(not_empty)
      .metavar("TEXT")
      .group(group)
      .text("take only tokens that name this audience ('aud')");
  o.text("--jwt-issuer", tokens.rules.issuer)
      .must(not_empty)
      .metavar("TEXT")
      .group(group)
      .text("take only tokens of this issuer ('iss')");
  o.text("--jwt-user-claim", tokens.rules.user_claim)
      .metavar("NAME")
      .group(group)
      .default_text("sub")
      .text("the claim that is the user name");
  o.text("--jwt-client-id-claim", tokens.rules.client_id_claim)
      .metavar("NAME")
      .group(group)
      .text("a claim that has to be the client id");
  o.rule([&tokens]() -> std::optional<std::string> {
    const mqtt::auth::JwtRules& rules = tokens.rules;
    const bool ruled = rules.audience || rules.issuer || rules.client_id_claim || rules.user_claim != "sub";
    if (ruled && !tokens.given()) return "options '--jwt-...' need keys: --jwt-keys or --jwt-secret-file";
    if (rules.user_claim.empty()) return "option '--jwt-user-claim' needs a name";
    return std::nullopt;
  });
}

}  // namespace

void declare_access_options(Options& o, BrokerSettings& settings) {
  o.text("--password-file", settings.password_file)
      .file()
      .group("Who may connect")
      .default_text("anybody who can reach a listener")
      .text(
          "let in only who has a user name and its password in this file, as mqbroker passwd or "
          "mosquitto_passwd "
          "write it: by CONNECT or, for what mqbroker passwd has written, by SCRAM-SHA-512 too, and by "
          "SCRAM-SHA-256 with its --scram-sha-256. A listener with "
          "--allow-anonymous lets in clients without user name as well; one with --cert-as-user does not ask "
          "those "
          "that their certificate names");
  o.duration("--max-login-delay", settings.broker.login_delay_max)
      .group("Who may connect")
      .text(
          "an address from which ten logins have failed waits for a second until the next is looked at, then "
          "twice as "
          "long after each failure, up to this; 0: never. Unix sockets do not wait");
  declare_tokens(o, settings.tokens);
  declare_rules(o, settings);
  o.example("mqbroker passwd users joe", "ask for joe's password and write it into the file 'users'");
  o.example("mqbroker -h 0.0.0.0 --password-file users",
            "let those in who have a password: mqbroker passwd users joe");
}

}  // namespace mq
