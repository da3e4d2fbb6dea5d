#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <fstream>

#include <unit/net/certificates.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class TlsTest : public testing::Test {
 protected:
  static Authority& authority() {
    static Authority made;
    return made;
  }

  EchoServer& serve(const TlsOptions& options) {
    ListenOptions listen;
    listen.tls = TlsContext::server(options).value();
    server_ = std::make_unique<EchoServer>(loop_, std::move(listen));
    return *server_;
  }

  StreamTarget target(const TlsOptions& options, std::string host = "localhost") {
    StreamTarget made = tcp_target(server_->port(), std::move(host));
    made.connect.family = Family::ipv4;  // where the server listens
    made.tls = TlsContext::client(options).value();
    return made;
  }

  Error refused(const TlsOptions& options, std::string host = "localhost") {
    auto stream = open_now(loop_, target(options, std::move(host)));
    EXPECT_FALSE(stream.has_value());
    return stream ? Error{} : stream.error();
  }

  Loop loop_;
  std::unique_ptr<EchoServer> server_;
};

std::string today_plus(int days) {
  const auto day =
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()) + std::chrono::days{days};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(day);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

TEST_F(TlsTest, VerifiesNameAndAddress) {
  serve(server_options(authority().issue()));
  EXPECT_TRUE(open_now(loop_, target(client_options(authority()), "localhost")).has_value());
  EXPECT_TRUE(open_now(loop_, target(client_options(authority()), "localhost.")).has_value());
  EXPECT_TRUE(open_now(loop_, target(client_options(authority()), "127.0.0.1")).has_value());
}

TEST_F(TlsTest, WrongNameListsTheNamesOfTheCertificate) {
  CertificateWishes wishes;
  wishes.names = {"DNS:example.org", "DNS:*.example.com", "IP:10.0.0.1"};
  serve(server_options(authority().issue(wishes)));
  const Error error = refused(client_options(authority()));
  EXPECT_EQ(error.domain, ErrorDomain::tls);
  EXPECT_EQ(error.code, X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(error.context, "certificate is for example.org, *.example.com and 10.0.0.1, not for localhost");
}

TEST_F(TlsTest, WrongAddress) {
  CertificateWishes wishes;
  wishes.names = {"DNS:localhost"};
  serve(server_options(authority().issue(wishes)));
  const Error error = refused(client_options(authority()), "127.0.0.1");
  EXPECT_EQ(error.code, X509_V_ERR_IP_ADDRESS_MISMATCH);
  EXPECT_EQ(error.context, "certificate is for localhost, not for 127.0.0.1");
}

TEST_F(TlsTest, ServerNameOverridesTheHost) {
  CertificateWishes wishes;
  wishes.names = {"DNS:broker.example"};
  serve(server_options(authority().issue(wishes)));
  StreamTarget named = target(client_options(authority()), "127.0.0.1");
  named.tls_server_name = "broker.example";
  EXPECT_TRUE(open_now(loop_, named).has_value());
}

TEST_F(TlsTest, Expired) {
  CertificateWishes wishes;
  wishes.first_day = -20;
  wishes.last_day = -10;
  serve(server_options(authority().issue(wishes)));
  const Error error = refused(client_options(authority()));
  EXPECT_EQ(error.code, X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(error.context, "certificate has expired (" + today_plus(-10) + ")");
}

TEST_F(TlsTest, NotYetValid) {
  CertificateWishes wishes;
  wishes.first_day = 5;
  serve(server_options(authority().issue(wishes)));
  const Error error = refused(client_options(authority()));
  EXPECT_EQ(error.code, X509_V_ERR_CERT_NOT_YET_VALID);
  EXPECT_EQ(error.context, "certificate is not valid before " + today_plus(5));
}

TEST_F(TlsTest, SelfSigned) {
  serve(server_options(authority().self_signed()));
  const Error error = refused(client_options(authority()));
  EXPECT_EQ(error.code, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  EXPECT_EQ(error.context, "self-signed certificate");
}

TEST_F(TlsTest, UnknownAuthority) {
  serve(server_options(authority().issue()));
  const Authority other;
  const Error error = refused(client_options(other));
  EXPECT_EQ(error.code, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  EXPECT_EQ(error.context, "unable to get local issuer certificate (unknown CA)");
  EXPECT_EQ(refused({}).domain, ErrorDomain::tls) << "the system's store does not hold it either";
}

TEST_F(TlsTest, InsecureAcceptsAnything) {
  CertificateWishes wishes;
  wishes.names = {"DNS:elsewhere"};
  wishes.last_day = 0;
  wishes.first_day = -3;
  serve(server_options(authority().self_signed(wishes)));
  TlsOptions options;
  options.insecure = true;
  EXPECT_TRUE(open_now(loop_, target(options)).has_value());
}

TEST_F(TlsTest, RefusalIsToldToTheServerByAlert) {
  serve(server_options(authority().issue()));
  const Authority other;
  static_cast<void>(refused(client_options(other)));
  ASSERT_TRUE(run_until(loop_, [&] { return !server_->failures().empty(); }));
  EXPECT_THAT(server_->failures()[0].context,
              MatchesRegex("127.0.0.1:[0-9]+: client sent alert: unknown ca"));
}

TEST_F(TlsTest, MissingClientCertificateComesAsAlertAfterTheHandshake) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::required;
  serve(options);
  // In TLS 1.3 the client has finished before the server looks at the missing certificate.
  auto stream = open_now(loop_, target(client_options(authority())));
  ASSERT_TRUE(stream.has_value());
  Recorder recorder;
  (*stream)->set_handler(&recorder);
  ASSERT_TRUE(run_until(loop_, [&] { return recorder.over(); }));
  ASSERT_EQ(recorder.errors.size(), 1u);
  EXPECT_EQ(recorder.errors[0].domain, ErrorDomain::tls);
  EXPECT_EQ(recorder.errors[0].context, "server sent alert: certificate required");
}

TEST_F(TlsTest, MissingClientCertificateInTls12) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::required;
  options.max_version = TlsVersion::tls1_2;
  serve(options);
  EXPECT_THAT(refused(client_options(authority())).context, StartsWith("server sent alert: "));
}

TEST_F(TlsTest, ClientCertificateIsSentAndChecked) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::required;
  serve(options);
  CertificateWishes wishes;
  wishes.common_name = "sensor 7";
  wishes.key_password = "secret";
  const CertificateFiles files = authority().issue(wishes);
  TlsOptions client = client_options(authority());
  client.certificate_file = files.certificate;
  client.key_file = files.key;
  client.key_password = "secret";
  const auto stream = open_now(loop_, target(client));
  ASSERT_TRUE(stream.has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return server_->connections() == 1; }));
  EXPECT_EQ(server_->stream(0).properties().peer_certificate, "CN=sensor 7");
  EXPECT_EQ(server_->stream(0).properties().peer_common_name, "sensor 7");
}

TEST_F(TlsTest, ACommonNameWithControlCharactersIsNone) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::required;
  serve(options);
  std::size_t count = 0;
  for (const std::string& name :
       {std::string{"admin\0.example", 14}, std::string{"admin\0", 6}, std::string{"a\nb"}}) {
    CertificateWishes wishes;
    wishes.common_name = name;
    const CertificateFiles files = authority().issue(wishes);
    TlsOptions client = client_options(authority());
    client.certificate_file = files.certificate;
    client.key_file = files.key;
    const auto stream = open_now(loop_, target(client));
    ASSERT_TRUE(stream.has_value());
    ++count;
    ASSERT_TRUE(run_until(loop_, [&] { return server_->connections() == count; }));
    EXPECT_EQ(server_->stream(count - 1).properties().peer_common_name, "");
  }
}

TEST_F(TlsTest, OptionalClientCertificateMayBeMissingButNotWrong) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::optional;
  serve(options);
  const auto stream = open_now(loop_, target(client_options(authority())));
  ASSERT_TRUE(run_until(loop_, [&] { return server_->connections() == 1; }));
  EXPECT_EQ(server_->stream(0).properties().peer_certificate, "");
  EXPECT_EQ(server_->stream(0).properties().peer_common_name, "");

  CertificateWishes wishes;
  wishes.first_day = -20;
  wishes.last_day = -10;
  const CertificateFiles expired = authority().issue(wishes);
  TlsOptions client = client_options(authority());
  client.certificate_file = expired.certificate;
  client.key_file = expired.key;
  const auto refused = open_now(loop_, target(client));
  ASSERT_TRUE(run_until(loop_, [&] { return !server_->failures().empty(); }));
  EXPECT_EQ(server_->failures()[0].code, X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_THAT(
      server_->failures()[0].context,
      EndsWith(": the client's certificate was refused: certificate has expired (" + today_plus(-10) + ")"));
}

TEST_F(TlsTest, ClientCertificateOfAnotherAuthorityIsRefused) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::required;
  serve(options);
  Authority other;
  const CertificateFiles foreign = other.issue();
  TlsOptions client = client_options(authority());
  client.certificate_file = foreign.certificate;
  client.key_file = foreign.key;
  const auto refused = open_now(loop_, target(client));
  ASSERT_TRUE(run_until(loop_, [&] { return !server_->failures().empty(); }));
  EXPECT_THAT(server_->failures()[0].context, HasSubstr(": the client's certificate was refused: "));
}

TEST_F(TlsTest, MissingClientCertificateIsToldInWords) {
  TlsOptions options = server_options(authority().issue());
  options.ca_file = authority().ca_file();
  options.client_certificates = ClientCertificates::required;
  serve(options);
  const auto refused = open_now(loop_, target(client_options(authority())));
  ASSERT_TRUE(run_until(loop_, [&] { return !server_->failures().empty(); }));
  EXPECT_THAT(server_->failures()[0].context,
              MatchesRegex("127.0.0.1:[0-9]+: TLS handshake failed: peer did not return a certificate"));
}

TEST_F(TlsTest, PlainServerIsRecognisedByItsFirstByte) {
  ScriptedServer server{loop_, "\x20\x02\x00\x05", ScriptedServer::Speak::at_once};
  StreamTarget made = tcp_target(server.port());
  made.tls = TlsContext::client(client_options(authority())).value();
  const auto stream = open_now(loop_, made);
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().domain, ErrorDomain::tls);
  EXPECT_EQ(stream.error().context, "the peer does not speak TLS (plain TCP port?)");
}

TEST_F(TlsTest, PlainServerThatHangsUp) {
  ScriptedServer server{loop_, ""};
  server.hang_up_after_answer();
  StreamTarget made = tcp_target(server.port());
  made.tls = TlsContext::client(client_options(authority())).value();
  const auto stream = open_now(loop_, made);
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().domain, ErrorDomain::tls);
  EXPECT_EQ(stream.error().context, "peer closed during TLS handshake without a word (plain TCP port?)");
}

TEST_F(TlsTest, PlainClientIsRecognisedByTheServer) {
  serve(server_options(authority().issue()));
  auto plain = open_now(loop_, tcp_target(server_->port()));
  ASSERT_TRUE(plain.has_value());
  ASSERT_TRUE(write_text(**plain, "\x10\x0c").has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return !server_->failures().empty(); }));
  EXPECT_THAT(server_->failures()[0].context, EndsWith(": the peer does not speak TLS (plain TCP port?)"));
}

TEST_F(TlsTest, NoVersionInCommon) {
  TlsOptions old = server_options(authority().issue());
  old.max_version = TlsVersion::tls1_2;
  serve(old);
  TlsOptions client = client_options(authority());
  client.min_version = TlsVersion::tls1_3;
  EXPECT_EQ(refused(client).context, "server sent alert: protocol version");
}

TEST_F(TlsTest, NoAlpnInCommon) {
  TlsOptions options = server_options(authority().issue());
  options.alpn = {"mqtt"};
  serve(options);
  TlsOptions client = client_options(authority());
  client.alpn = {"x-amzn-mqtt-ca", "http/1.1"};
  EXPECT_EQ(refused(client).context, "server sent alert: no application protocol");
}

TEST_F(TlsTest, PreSharedKeyInEveryVersion) {
  TlsOptions options;
  options.psk_identity = "device";
  options.psk_key = "00ff17AB";
  options.ciphers = "PSK";
  serve(options);
  for (const auto version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    options.max_version = version;
    auto stream = open_now(loop_, target(options));
    ASSERT_TRUE(stream.has_value()) << stream.error().context;
    EXPECT_EQ((*stream)->properties().tls_version, version == TlsVersion::tls1_2 ? "TLSv1.2" : "TLSv1.3");
  }
  options.max_version = TlsVersion::tls1_2;
  options.psk_key = "00ff17AC";
  EXPECT_EQ(refused(options).domain, ErrorDomain::tls);
}

TEST_F(TlsTest, KeysOfAFileNameWhoHasThem) {
  TlsOptions served;
  served.psk_file = authority().directory().write("psks", "# devices\n\ndevice:00ff17AB\nother:00ff17AC\r\n");
  serve(served);
  TlsOptions options;
  options.psk_identity = "device";
  options.ciphers = "PSK";
  std::size_t count = 0;
  for (const auto version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    options.max_version = version;
    options.psk_key = "00ff17AB";
    const auto stream = open_now(loop_, target(options));
    ASSERT_TRUE(stream.has_value()) << stream.error().context;
    ++count;
    ASSERT_TRUE(run_until(loop_, [&] { return server_->connections() == count; }));
    EXPECT_EQ(server_->stream(count - 1).properties().peer_common_name, "device");
    options.psk_key = "00ff17AC";
    EXPECT_EQ(refused(options).domain, ErrorDomain::tls) << "another's key";
  }
}

TEST_F(TlsTest, AnIdentityWhoseKeyWasNotUsedIsNoName) {
  TlsOptions served = server_options(authority().issue());
  served.psk_file = authority().directory().write("psks", "device:00ff17AB\n");
  served.ciphersuites = "TLS_AES_256_GCM_SHA384";  // which external keys, that go with SHA-256, cannot have
  serve(served);
  TlsOptions options = client_options(authority());
  options.min_version = TlsVersion::tls1_3;
  options.psk_identity = "device";
  options.psk_key = "00ff17AB";
  const auto stream = open_now(loop_, target(options));
  ASSERT_TRUE(stream.has_value()) << stream.error().context;
  ASSERT_TRUE(run_until(loop_, [&] { return server_->connections() == 1; }));
  EXPECT_EQ(server_->stream(0).properties().peer_common_name, "");
}

TEST_F(TlsTest, KeyFilesThatAreNone) {
  for (const auto& [line, why] : {std::pair{"joe", "the line is not IDENTITY:KEY"},
                                  {":00", "the pre-shared key has no identity"},
                                  {"joe:0g", "the pre-shared key is not a row of hexadecimal bytes"},
                                  {"a:00", "the identity has another line before"}}) {
    TlsOptions options;
    options.psk_file = authority().directory().write("bad", std::string{"a:00\n"} + line + "\n");
    EXPECT_EQ(TlsContext::server(options).error().context,
              "PSK file '" + options.psk_file + "', line 2: " + why);
  }
}

TEST_F(TlsTest, KeyLogIsAppended) {
  serve(server_options(authority().issue()));
  TlsOptions client = client_options(authority());
  client.key_log_file = authority().directory().write("keys", "# before\n");
  EXPECT_TRUE(open_now(loop_, target(client)).has_value());
  std::ifstream file{client.key_log_file};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_THAT(text, StartsWith("# before\n"));
  EXPECT_THAT(text, HasSubstr("\nCLIENT_TRAFFIC_SECRET_0 "));
}

TEST_F(TlsTest, TruncatedHandshakeIsAnErrorAtEveryLength) {
  // What a server says first, recorded, then cut.
  serve(server_options(authority().issue()));
  ScriptedServer silent{loop_, ""};
  StreamTarget probe = tcp_target(silent.port());
  probe.tls = TlsContext::client(client_options(authority())).value();
  std::optional<Result<std::unique_ptr<ByteStream>>> result;
  const Opening opening{loop_, probe, [&](auto opened) { result = std::move(opened); }};
  ASSERT_TRUE(run_until(loop_, [&] { return !silent.recorder.data.empty(); }));
  const std::string hello = silent.recorder.data;
  for (const std::size_t size : {std::size_t{1}, std::size_t{5}, hello.size() / 2, hello.size() - 1}) {
    const std::size_t before = server_->failures().size();
    auto plain = open_now(loop_, tcp_target(server_->port()));
    ASSERT_TRUE(plain.has_value());
    ASSERT_TRUE(write_text(**plain, std::string_view{hello}.substr(0, size)).has_value());
    (*plain)->shutdown();
    ASSERT_TRUE(run_until(loop_, [&] { return server_->failures().size() > before; })) << size;
    EXPECT_THAT(server_->failures().back().context, EndsWith(": peer closed during TLS handshake"));
  }
}

}  // namespace
}  // namespace mqtt::net::test
