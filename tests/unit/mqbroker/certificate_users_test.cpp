#include <gtest/gtest.h>

#include "mqbroker/listeners.hpp"

namespace mq {
namespace {

using mqtt::broker::AuthDecision;
using mqtt::net::ClientCertificates;

struct CertificateUsersTest : testing::Test {
  AuthDecision connect(std::string_view listener, std::string_view user, std::string_view common_name) {
    CertificateUsers users{named};
    mqtt::ConnectView packet;
    packet.user_name = user;
    return users.authenticate(packet, {.address = "a",
                                       .listener = std::string{listener},
                                       .certificate_common_name = std::string{common_name}});
  }

  std::vector<CertificateUsers::Named> named{{"must", ClientCertificates::required},
                                             {"may", ClientCertificates::optional}};
};

TEST_F(CertificateUsersTest, ElsewhereAUserNamesHimself) {
  EXPECT_EQ(connect("mqtt:1", "me", "").user, "me");
}

TEST_F(CertificateUsersTest, TheCertificateBeatsWhatConnectSays) {
  EXPECT_EQ(connect("must", "root", "device 7").user, "device 7");
  EXPECT_EQ(connect("may", "root", "device 7").user, "device 7");
}

TEST_F(CertificateUsersTest, WithoutACertificateOneIsAnonymousWhereItMayBeLeftOut) {
  const AuthDecision decision = connect("may", "root", "");
  EXPECT_EQ(decision.kind, AuthDecision::Kind::allow);
  EXPECT_EQ(decision.user, "");
}

TEST_F(CertificateUsersTest, ACertificateWithoutANameIsRefusedWhereOneIsRequired) {
  const AuthDecision decision = connect("must", "root", "");
  EXPECT_EQ(decision.kind, AuthDecision::Kind::refuse);
  EXPECT_EQ(decision.reason, mqtt::ReasonCode::not_authorized);
}

}  // namespace
}  // namespace mq
