#include "mqbroker/options.hpp"

// Options for who may connect.

namespace mq {

void declare_access_options(Options& o, BrokerSettings& settings) {
  o.text("--password-file", settings.password_file)
      .metavar("FILE")
      .group("Who may connect")
      .default_text("anybody who can reach a listener")
      .text(
          "let in only who has a user name and its password in this file, as mqbroker passwd or "
          "mosquitto_passwd "
          "write it: by CONNECT or, for what mqbroker passwd has written, by SCRAM-SHA-512 too. A listener "
          "with "
          "--allow-anonymous lets in clients without user name as well; one with --cert-as-user does not ask "
          "those "
          "that their certificate names");
  o.example("mqbroker passwd users joe", "ask for joe's password and write it into the file 'users'");
  o.example("mqbroker -h 0.0.0.0 --password-file users",
            "let those in who have a password: mqbroker passwd users joe");
}

}  // namespace mq
