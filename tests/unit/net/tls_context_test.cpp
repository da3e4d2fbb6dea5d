// What a TlsContext is made of: its files, and options that do not go together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <unit/net/certificates.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::StartsWith;

std::string context_error(const TlsOptions& options) {
  const auto context = TlsContext::client(options);
  return context ? "" : context.error().context;
}

class TlsContextTest : public testing::Test {
 protected:
  Authority authority_;
  CertificateFiles files_ = authority_.issue();
  TlsOptions options_;
};

TEST_F(TlsContextTest, NamesTheFileThatCannotBeRead) {
  options_.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(context_error(options_), "cannot read CA file '/nowhere/ca.pem': No such file or directory");
  options_ = {};
  options_.ca_path = files_.key;
  EXPECT_EQ(context_error(options_), "cannot read CA directory '" + files_.key + "': Not a directory");
  options_ = {};
  options_.certificate_file = "/nowhere/c";
  options_.key_file = files_.key;
  EXPECT_EQ(context_error(options_), "cannot read certificate '/nowhere/c': No such file or directory");
  options_.certificate_file = files_.certificate;
  options_.key_file = "/nowhere/k";
  EXPECT_EQ(context_error(options_), "cannot read key '/nowhere/k': No such file or directory");
  options_ = {};
  options_.key_log_file = "/nowhere/log";
  EXPECT_EQ(context_error(options_), "cannot write key log '/nowhere/log': No such file or directory");
}

TEST_F(TlsContextTest, SaysWhatIsWrongWithAFile) {
  options_.ca_file = files_.key;
  EXPECT_THAT(context_error(options_), StartsWith("no certificate in CA file '" + files_.key + "': "));
  options_ = {};
  options_.key_file = files_.key;
  EXPECT_EQ(context_error(options_), "key '" + files_.key + "' has no certificate with it");
  options_.certificate_file = files_.certificate;
  options_.key_file = files_.certificate;
  EXPECT_EQ(context_error(options_), "no private key in '" + files_.certificate + "' (not PEM?)");
  options_.key_file = authority_.issue().key;
  EXPECT_EQ(context_error(options_),
            "key '" + options_.key_file + "' does not match certificate '" + files_.certificate + "'");
  options_.certificate_file = files_.key;
  EXPECT_THAT(context_error(options_), StartsWith("cannot use certificate '" + files_.key + "': "));
}

TEST_F(TlsContextTest, EncryptedKeyNeedsItsPassword) {
  CertificateWishes wishes;
  wishes.key_password = "right";
  const CertificateFiles files = authority_.issue(wishes);
  options_ = server_options(files);
  EXPECT_EQ(context_error(options_), "key '" + files.key + "' is encrypted and needs its password");
  options_.key_password = "wrong";
  EXPECT_EQ(context_error(options_), "cannot decrypt key '" + files.key + "': wrong password");
  options_.key_password = "right";
  EXPECT_EQ(context_error(options_), "");
}

TEST_F(TlsContextTest, RefusesOptionsThatCannotWork) {
  options_.ciphers = "NONE-OF-THESE";
  EXPECT_EQ(context_error(options_), "no usable cipher in 'NONE-OF-THESE'");
  options_ = {};
  options_.ciphersuites = "NONE";
  EXPECT_EQ(context_error(options_), "no usable TLS 1.3 cipher suite in 'NONE'");
  options_ = {};
  options_.min_version = TlsVersion::tls1_3;
  options_.max_version = TlsVersion::tls1_2;
  EXPECT_EQ(context_error(options_), "the highest TLS version is below the lowest");
  options_ = {};
  options_.alpn = {""};
  EXPECT_EQ(context_error(options_), "'' cannot be an ALPN protocol name");
  options_ = {};
  options_.psk_key = "0g";
  options_.psk_identity = "x";
  EXPECT_EQ(context_error(options_), "the pre-shared key is not a row of hexadecimal bytes");
  options_.psk_key = "abc";
  EXPECT_EQ(context_error(options_), "the pre-shared key is not a row of hexadecimal bytes");
  options_.psk_key = "";
  EXPECT_EQ(context_error(options_), "a pre-shared key and its identity go together");
  EXPECT_FALSE(TlsContext::server({}).has_value());
  options_ = server_options(files_);
  options_.client_certificates = ClientCertificates::required;
  EXPECT_FALSE(TlsContext::server(options_).has_value());
}

}  // namespace
}  // namespace mqtt::net::test
