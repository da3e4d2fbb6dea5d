#include "common/connect_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/tools/reading.hpp"

namespace mq {
namespace {

using mqtt::PropertyPlace;
using mqtt::Transport;
using mqtt::Version;
using mqtt::net::TlsVersion;
using testing::HasSubstr;
using namespace std::chrono_literals;

struct Connecting {
  Options options{test::program()};
  ConnectionConfig config;
  std::string said;

  explicit Connecting(const std::vector<std::string>& arguments, const test::Variables& variables = {}) {
    declare_connect_options(options, config,
                            {PropertyPlace::connect, PropertyPlace::will, PropertyPlace::publish});
    declare_log_options(options, config.log);
    said = test::read(options, arguments, variables);
  }
};

ConnectionConfig good(const std::vector<std::string>& arguments, const test::Variables& variables = {}) {
  Connecting connecting{arguments, variables};
  EXPECT_EQ(connecting.said, "");
  return connecting.config;
}

std::string bad(const std::vector<std::string>& arguments, const test::Variables& variables = {}) {
  return Connecting{arguments, variables}.said;
}

TEST(ConnectOptions, DefaultIsLocalhost) {
  const ConnectionConfig c = good({});
  EXPECT_EQ(c.transport, Transport::tcp);
  EXPECT_EQ(c.where(), "localhost:1883");
  EXPECT_EQ(c.keep_alive, 60);
  EXPECT_EQ(c.version, std::nullopt);
  EXPECT_EQ(c.connect_timeout, 10s);
  EXPECT_FALSE(c.persistent);
  EXPECT_FALSE(c.needs_v5);
  EXPECT_FALSE(c.reconnect.enabled);
  EXPECT_EQ(c.will, std::nullopt);
}

TEST(ConnectOptions, EveryMosquittoSpellingIsTaken) {
  const ConnectionConfig c = good({"-A",         "127.0.0.1",
                                   "-c",         "-D",
                                   "CONNECT",    "user-property",
                                   "k",          "v",
                                   "-d",         "-h",
                                   "broker",     "-i",
                                   "id",         "-k",
                                   "30",         "-M",
                                   "20",         "-p",
                                   "8883",       "-u",
                                   "user",       "-P",
                                   "pass",       "-V",
                                   "mqttv5",     "-x",
                                   "60",         "--cafile",
                                   "ca",         "--capath",
                                   "dir",        "--cert",
                                   "cert",       "--key",
                                   "key",        "--ciphers",
                                   "HIGH",       "--tls-version",
                                   "tlsv1.2",    "--tls-alpn",
                                   "mqtt",       "--tls-use-os-certs",
                                   "--insecure", "--nodelay",
                                   "--quiet",    "--will-topic",
                                   "w",          "--will-payload",
                                   "gone",       "--will-qos",
                                   "1",          "--will-retain"});
  EXPECT_EQ(c.local_address, "127.0.0.1");
  EXPECT_TRUE(c.persistent);
  EXPECT_TRUE(c.log.debug);
  EXPECT_TRUE(c.log.quiet);
  EXPECT_EQ(c.where(), "broker:8883");
  EXPECT_EQ(c.transport, Transport::tls);
  EXPECT_EQ(c.client_id, "id");
  EXPECT_EQ(c.keep_alive, 30);
  EXPECT_EQ(c.max_inflight, 20);
  EXPECT_EQ(c.user_name, "user");
  EXPECT_EQ(c.password.value, "pass");
  EXPECT_EQ(c.version, Version::v5);
  EXPECT_EQ(c.session_expiry, 60u);
  EXPECT_EQ(c.tls.ca_file, "ca");
  EXPECT_EQ(c.tls.ca_path, "dir");
  EXPECT_EQ(c.tls.certificate_file, "cert");
  EXPECT_EQ(c.tls.key_file, "key");
  EXPECT_EQ(c.tls.ciphers, "HIGH");
  EXPECT_EQ(c.tls.min_version, TlsVersion::tls1_2);
  EXPECT_EQ(c.tls.max_version, std::nullopt);
  EXPECT_THAT(c.tls.alpn, testing::ElementsAre("mqtt"));
  EXPECT_TRUE(c.tls.use_os_certs);
  EXPECT_TRUE(c.tls.insecure);
  EXPECT_EQ(c.will->topic, "w");
  EXPECT_EQ(c.will->payload, "gone");
  EXPECT_EQ(c.will->qos, mqtt::QoS::at_least_once);
  EXPECT_TRUE(c.will->retain);
}

TEST(ConnectOptions, LongNamesOfMosquitto) {
  const ConnectionConfig c = good({"--host",      "b",
                                   "--port",      "1",
                                   "--username",  "u",
                                   "--pw",        "p",
                                   "--id-prefix", "x-",
                                   "--keepalive", "1m",
                                   "--debug",     "--protocol-version",
                                   "mqttv311",    "--max-inflight",
                                   "5",           "--psk",
                                   "0aFF",        "--psk-identity",
                                   "me"});
  EXPECT_EQ(c.where(), "b:1");
  EXPECT_EQ(c.id_prefix, "x-");
  EXPECT_EQ(c.keep_alive, 60);
  EXPECT_EQ(c.version, Version::v3_1_1);
  EXPECT_EQ(c.psk.value, "0aFF");
  EXPECT_EQ(c.transport, Transport::tls);
  EXPECT_EQ(good({"--url", "mqtt://b", "--id", "x", "--disable-clean-session"}).persistent, true);
  EXPECT_EQ(good({"--unix", "/s", "--property", "connect", "request-problem-information", "0"}).where(),
            "/s");
  EXPECT_EQ(good({"-V", "mqttv31"}).version, Version::v3_1);
  EXPECT_EQ(good({"-V", "31"}).version, Version::v3_1);
}

TEST(ConnectOptions, HostsAreTriedInOrder) {
  EXPECT_EQ(good({"-h", "a,b,::1,[::2]"}).where(), "a:1883, b:1883, [::1]:1883, [::2]:1883");
  EXPECT_EQ(bad({"-h", "a,,b"}), "mqpub: option '-h': a name is missing in 'a,,b'\n");
  EXPECT_EQ(bad({"-h", ""}), "mqpub: option '-h': a name is missing in ''\n");
}

TEST(ConnectOptions, OptionsOfTlsAndWebSocketAskForThem) {
  EXPECT_EQ(good({"--cafile", "x"}).where(), "localhost:8883");
  EXPECT_EQ(good({"--insecure"}).transport, Transport::tls);
  EXPECT_EQ(good({"--ws-path", "/x"}).where(), "localhost:80");
  EXPECT_EQ(good({"--ws-path", "/x"}).ws_path, "/x");
  EXPECT_EQ(good({"--ws-header", "A: b", "--tls-use-os-certs"}).where(), "localhost:443");
  EXPECT_EQ(good({"--ws-header", "A: b"}).ws_path, "/mqtt");
  EXPECT_EQ(good({}, {{"SSLKEYLOGFILE", "/keys"}}).transport, Transport::tcp);
  EXPECT_EQ(good({"--insecure"}, {{"SSLKEYLOGFILE", "/keys"}}).tls.key_log_file, "/keys");
}

TEST(ConnectOptions, UrlIsTakenApart) {
  const ConnectionConfig c = good({"-L", "wss://u:p%40@[::1]:444/path?x=1"});
  EXPECT_EQ(c.transport, Transport::wss);
  EXPECT_EQ(c.where(), "[::1]:444");
  EXPECT_EQ(c.ws_path, "/path?x=1");
  EXPECT_EQ(c.user_name, "u");
  EXPECT_EQ(c.password.value, "p@");
  EXPECT_EQ(good({"-L", "mqtt://b/a/b"}).url_topic, "a/b");
  EXPECT_EQ(good({"-L", "unix:///run/s"}).unix_path, "/run/s");
  EXPECT_EQ(good({"-L", "unix:///run/s"}).transport, Transport::unix_socket);
  EXPECT_EQ(good({}, {{"MQTT_URL", "mqtts://b"}}).where(), "b:8883");
  EXPECT_EQ(good({"-h", "c"}, {{"MQTT_URL", "mqtts://b"}}).where(), "c:1883");
  EXPECT_THAT(bad({"-L", "http://b"}), HasSubstr("mqpub: option '-L': "));
}

TEST(ConnectOptions, ContradictionsAreErrors) {
  EXPECT_EQ(bad({"-h", "a", "-L", "mqtt://b"}),
            "mqpub: option '-h' cannot be used together with option '-L'\n");
  EXPECT_EQ(bad({"-p", "1", "-L", "mqtt://b"}),
            "mqpub: option '-p' cannot be used together with option '-L'\n");
  EXPECT_EQ(bad({"--unix", "/s", "-L", "ws://b"}),
            "mqpub: option '--unix' cannot be used together with option '-L'\n");
  EXPECT_EQ(bad({"--unix", "/s", "-h", "a"}),
            "mqpub: option '--unix' cannot be used together with option '-h'\n");
  EXPECT_EQ(bad({"-L", "mqtt://b", "--cafile", "x"}),
            "mqpub: option '--cafile' needs TLS, but the URL is without: use mqtts:// or wss://\n");
  EXPECT_EQ(bad({"-L", "mqtts://b", "--ws-path", "/x"}),
            "mqpub: option '--ws-path' needs WebSocket, but the URL is without: use ws:// or wss://\n");
  EXPECT_EQ(bad({"-L", "ws://b/a", "--ws-path", "/x"}),
            "mqpub: the URL and option '--ws-path' both give a path\n");
  EXPECT_THAT(bad({"--unix", "/s", "--insecure"}),
              HasSubstr("'--insecure' needs TLS, but the unix socket is without"));
  EXPECT_EQ(bad({"-L", "mqtt://u@b", "-u", "v"}), "mqpub: the URL and option '-u' both give a user name\n");
  EXPECT_EQ(bad({"-L", "mqtt://u:p@b", "-P", "q"}), "mqpub: the URL and an option both give a password\n");
  EXPECT_EQ(bad({"-i", "a", "-I", "b"}), "mqpub: option '-i' cannot be used together with option '-I'\n");
  EXPECT_EQ(bad({"-4", "-6"}), "mqpub: option '-4' cannot be used together with option '-6'\n");
  EXPECT_THAT(bad({"-P", "a", "--password-prompt"}), HasSubstr("cannot be used together"));
  EXPECT_THAT(bad({"--password-file", "a", "--password-cmd", "b"}), HasSubstr("cannot be used together"));
  EXPECT_THAT(bad({"--psk", "00", "--psk-identity", "x", "--cafile", "c"}),
              HasSubstr("cannot be used together"));
  EXPECT_EQ(bad({"--cert", "c"}), "mqpub: option '--cert' needs option '--key'\n");
  EXPECT_EQ(bad({"--psk", "00"}), "mqpub: option '--psk' needs option '--psk-identity'\n");
}

TEST(ConnectOptions, FlagsComeBeforeTheUrlOfTheEnvironment) {
  const ConnectionConfig c = good({"-u", "v", "-P", "q"}, {{"MQTT_URL", "mqtt://u:p@b"}});
  EXPECT_EQ(c.user_name, "v");
  EXPECT_EQ(c.password.value, "q");
  EXPECT_EQ(c.where(), "b:1883");
}

TEST(ConnectOptions, SessionThatStaysNeedsAClientId) {
  EXPECT_THAT(bad({"-c"}), HasSubstr("option '-c' needs a client id (-i)"));
  EXPECT_THAT(bad({"-x", "never"}), HasSubstr("needs a client id"));
  EXPECT_EQ(good({"-c", "-i", "a"}).session_expiry, session_never_expires);
  EXPECT_EQ(good({"-c", "-i", "a", "-x", "1m"}).session_expiry, 60u);
  EXPECT_EQ(good({"-i", "a", "-x", "∞"}).session_expiry, session_never_expires);
  EXPECT_EQ(good({"-i", "a", "-x", "-1"}).session_expiry, session_never_expires);
  EXPECT_EQ(good({"-i", "a", "-x", "4294967295"}).session_expiry, session_never_expires);
  EXPECT_EQ(good({"-x", "5"}).needs_v5, true);
  EXPECT_FALSE(good({"-c", "-i", "a"}).needs_v5);
  EXPECT_THAT(bad({"-x", "4294967296"}), HasSubstr("is not a whole number of seconds from 0 to 4294967295"));
}

TEST(ConnectOptions, NumbersAndTimesAreStrict) {
  EXPECT_EQ(bad({"-p", "1x"}), "mqpub: option '-p': '1x' is not a number from 1 to 65535\n");
  EXPECT_EQ(bad({"-k", "65536"}),
            "mqpub: option '-k': '65536' is not a whole number of seconds from 0 to 65535\n");
  EXPECT_EQ(bad({"-k", "500ms"}),
            "mqpub: option '-k': '500ms' is not a whole number of seconds from 0 to 65535\n");
  EXPECT_EQ(good({"-k", "0"}).keep_alive, 0);
  EXPECT_EQ(bad({"-M", "0"}), "mqpub: option '-M': '0' is not a number from 1 to 65535\n");
  EXPECT_THAT(bad({"--connect-timeout", "0"}), HasSubstr("--connect-timeout"));
  EXPECT_EQ(bad({"-V", "4"}), "mqpub: option '-V': '4' is not one of 5, 311, 31\n");
}

TEST(ConnectOptions, ReconnectingIsAskedForByItsOptions) {
  const ConnectionConfig c = good({"--retry-delay", "200ms..1m", "--retry-max", "3"});
  EXPECT_TRUE(c.reconnect.enabled);
  EXPECT_EQ(c.reconnect.min, 200ms);
  EXPECT_EQ(c.reconnect.max, 1min);
  EXPECT_EQ(c.reconnect.retry_max, 3u);
  EXPECT_EQ(good({"--retry-delay", "2s"}).reconnect.max, 2s);
  for (const char* value : {"2s..1s", "0..1s", "x", "1s..", "..1s", ""})
    EXPECT_THAT(bad({"--retry-delay", value}), HasSubstr("is not a range of durations")) << value;
  EXPECT_EQ(bad({"--retry-max", "0"}), "mqpub: option '--retry-max': '0' is not a number from 1 up\n");
}

TEST(ConnectOptions, PropertiesAreThoseOfTheToolsPackets) {
  const ConnectionConfig c =
      good({"-D", "publish", "user-property", "-k", "--v", "-D", "connect", "receive-maximum", "5"});
  EXPECT_EQ(c.properties.at(PropertyPlace::connect).view().number(mqtt::PropertyId::receive_maximum), 5u);
  EXPECT_TRUE(c.needs_v5);
  EXPECT_EQ(bad({"-D", "subscribe", "user-property", "a", "b"}),
            "mqpub: option '-D': 'subscribe' is not one of connect, will, publish\n");
  EXPECT_EQ(bad({"-D", "connect", "receive-maximum"}),
            "mqpub: option '-D' needs 3 values: PACKET NAME VALUE\n");
  EXPECT_THAT(bad({"-D", "publish", "user-property", "k"}), HasSubstr("option '-D' needs 4 values"));
  EXPECT_EQ(bad({"-D", "publish", "content-type", "x", "-V", "311"}),
            "mqpub: option '-D' needs MQTT 5, but option '-V' asks for 3.1.1\n");
  EXPECT_EQ(bad({"-x", "5", "-V", "311"}),
            "mqpub: option '-x' needs MQTT 5, but option '-V' asks for 3.1.1\n");
  EXPECT_EQ(bad({"-M", "5", "-D", "connect", "receive-maximum", "5"}),
            "mqpub: options '-M' and '-D' both give the Receive Maximum\n");
  EXPECT_EQ(bad({"-x", "5", "-D", "connect", "session-expiry-interval", "5"}),
            "mqpub: options '-x' and '-D' both give the Session Expiry Interval\n");
}

TEST(ConnectOptions, WillNeedsAValidTopic) {
  EXPECT_EQ(bad({"--will-payload", "x"}), "mqpub: option '--will-payload' needs option '--will-topic'\n");
  EXPECT_EQ(bad({"--will-on-exit"}), "mqpub: option '--will-on-exit' needs option '--will-topic'\n");
  EXPECT_EQ(bad({"-D", "will", "will-delay-interval", "1"}),
            "mqpub: option '-D will' needs option '--will-topic'\n");
  EXPECT_THAT(bad({"--will-topic", "a/#"}), HasSubstr("option '--will-topic': "));
  EXPECT_THAT(bad({"--will-topic", ""}), HasSubstr("option '--will-topic': "));
  EXPECT_EQ(good({"--will-topic", "w"}).will->payload, "");
}

TEST(ConnectOptions, TlsValuesAreChecked) {
  EXPECT_EQ(good({"--tls-version", "1.2..1.3"}).tls.max_version, TlsVersion::tls1_3);
  EXPECT_EQ(good({"--tls-version", "tlsv1.3"}).tls.min_version, TlsVersion::tls1_3);
  EXPECT_EQ(good({"--tls-version", "tlsv1.2..tlsv1.2"}).tls.max_version, TlsVersion::tls1_2);
  for (const char* value : {"1.1", "tlsv1", "1.3..1.2", "1.2..", "..1.3", ""})
    EXPECT_THAT(bad({"--tls-version", value}), HasSubstr("is not 1.2, 1.3 or a range")) << value;
  EXPECT_THAT(good({"--tls-alpn", "mqtt,x-amzn-mqtt-ca"}).tls.alpn,
              testing::ElementsAre("mqtt", "x-amzn-mqtt-ca"));
  EXPECT_THAT(bad({"--tls-alpn", "a,,b"}), HasSubstr("is not a list of protocol names"));
  EXPECT_EQ(bad({"--psk", "12x4", "--psk-identity", "a"}),
            "mqpub: option '--psk': the key is not hexadecimal\n");
  EXPECT_EQ(bad({"--psk", "123", "--psk-identity", "a"}),
            "mqpub: option '--psk': the key is not hexadecimal\n");
}

TEST(ConnectOptions, HeadersAreNameAndValue) {
  const ConnectionConfig c = good({"--ws-header", "X-Token:  a:b ", "--ws-header", "Y:"});
  ASSERT_EQ(c.ws_headers.size(), 2u);
  EXPECT_EQ(c.ws_headers[0].name, "X-Token");
  EXPECT_EQ(c.ws_headers[0].value, "a:b ");
  EXPECT_EQ(c.ws_headers[1].value, "");
  EXPECT_EQ(bad({"--ws-header", "x"}), "mqpub: option '--ws-header': 'x' is not NAME:VALUE\n");
  EXPECT_EQ(bad({"--ws-header", ":x"}), "mqpub: option '--ws-header': ':x' is not NAME:VALUE\n");
}

TEST(ConnectOptions, SecretsDoNotStayInArgv) {
  std::vector<std::string> argv{"mqpub",
                                "-L",
                                "wss://me:s3:c@et@host:1/p?sig=abc",
                                "--ws-header",
                                "Authorization: Bearer abc",
                                "--psk",
                                "00ff",
                                "--psk-identity",
                                "me"};
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  Options options{test::program()};
  ConnectionConfig config;
  declare_connect_options(options, config, {});
  ASSERT_TRUE(options.parse(static_cast<int>(argv.size()), pointers.data()));
  EXPECT_EQ(config.password.value, "s3:c@et");
  EXPECT_EQ(argv[2], "wss://me:xxxxxxx@host:1/p?xxxxxxx");
  EXPECT_EQ(argv[4], "Authorization:xxxxxxxxxxx");
  EXPECT_EQ(argv[6], "xxxx");
  EXPECT_EQ(argv[8], "me");
}

TEST(ConnectOptions, LogOptions) {
  const ConnectionConfig c = good({"--log-format", "json", "--color", "never"});
  EXPECT_EQ(c.log.format, LogFormat::json);
  EXPECT_EQ(c.log.color, ColorMode::never);
  EXPECT_THAT(bad({"--color", "blue"}), HasSubstr("is not one of auto, always, never"));
}

TEST(ConnectOptions, AProxyIsBypassedByTheListOfItsOwnSource) {
  const test::Variables variables{{"ALL_PROXY", "socks5h://p"}, {"NO_PROXY", "a"}};
  EXPECT_EQ(good({}, variables).proxy->bypass, "a");
  EXPECT_EQ(good({"--no-proxy", "b"}, variables).proxy->bypass, "b");
  EXPECT_EQ(good({"--proxy", "http://q"}, variables).proxy->bypass, "") << "who types a proxy means it";
  EXPECT_EQ(good({"--proxy", "http://q", "--no-proxy", "b"}, variables).proxy->bypass, "b");
  EXPECT_EQ(good({"--unix", "/s"}, variables).proxy, std::nullopt);
  EXPECT_EQ(good({"-L", "unix:///s"}, variables).proxy, std::nullopt);
  EXPECT_EQ(good({}, {{"all_proxy", "http://low"}}).proxy->address.host, "low");
  EXPECT_THAT(bad({}, {{"all_proxy", "ftp://x"}}), HasSubstr("all_proxy"));
}

TEST(ConnectOptions, ServicesAreNamedByTheTransport) {
  EXPECT_EQ(good({"-S", "-h", "d", "-p", "1"}).service, "_mqtt._tcp");
  EXPECT_EQ(good({"-S", "-h", "d", "--insecure"}).service, "_secure-mqtt._tcp");
  EXPECT_EQ(good({"-S", "-h", "d"}).where(), "d");
  EXPECT_EQ(good({"-S", "-h", "d"}, {{"MQTT_URL", "mqtt://other"}}).where(), "d");
}

TEST(ConnectOptions, NoTlsBeatsWhatAsksForIt) {
  EXPECT_EQ(good({"--no-tls"}, {{"SSLKEYLOGFILE", "x"}}).transport, Transport::tcp);
  EXPECT_NE(bad({"--no-tls", "--cafile", "x"}), "");
  EXPECT_NE(bad({"--no-tls", "-L", "mqtts://h"}), "");
}

}  // namespace
}  // namespace mq
