#include "mqbroker/options.hpp"

// Options for who may connect, and what he may do.

namespace mq {
namespace {

void declare_rules(Options& o, BrokerSettings& settings) {
  o.text("--acl-file", settings.acl_file)
      .metavar("FILE")
      .group("What clients may do")
      .default_text("everything")
      .text(
          "clients may publish and read only what this file allows, in mosquitto's format: lines 'topic "
          "[read|write|readwrite|deny] FILTER' for the user of the line 'user NAME' above them, at first for "
          "anonymous clients, and 'pattern [...] FILTER' for everybody, with %u for the user name and %c for "
          "the "
          "client id; a name with '/', '+' or '#' has no part in patterns. A subscription that nothing could "
          "come "
          "through is refused; what wills, retained and shared messages tell is filtered by the same rules")
      .example("--acl-file rules");
}

}  // namespace

void declare_access_options(Options& o, BrokerSettings& settings) {
  o.text("--password-file", settings.password_file)
      .metavar("FILE")
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
  declare_rules(o, settings);
  o.example("mqbroker passwd users joe", "ask for joe's password and write it into the file 'users'");
  o.example("mqbroker -h 0.0.0.0 --password-file users",
            "let those in who have a password: mqbroker passwd users joe");
}

}  // namespace mq
