#include <mqtt/session/scram.hpp>

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include <mqtt/session/saslprep.hpp>
#include <mqtt/session/scram_message.hpp>

namespace mqtt {
namespace {

using std::string;
using std::string_view;

struct Vector {
  ScramHash hash;
  string_view client_nonce, client_first, server_first, client_final, server_final, salt;
};

// RFC 5802, section 5, and RFC 7677, section 3. The last is RFC 7677's with SHA-512, by Python's
// hashlib.pbkdf2_hmac and hmac.
const std::array vectors{
    Vector{ScramHash::sha1, "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
           "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
           "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
           "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "\x41\x25\xC2\x47\xE4\x3A\xB1\xE9\x3C\x6D\xFF\x76"},
    Vector{ScramHash::sha256, "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
           "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
           "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
           "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
           "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
           "\x5B\x6D\x99\x68\x9D\x12\x35\x8E\xEC\xA0\x4B\x14\x12\x36\xFA\x81"},
    Vector{ScramHash::sha512, "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
           "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
           "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
           "p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
           "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
           "\x5B\x6D\x99\x68\x9D\x12\x35\x8E\xEC\xA0\x4B\x14\x12\x36\xFA\x81"}};

TEST(Scram, ClientSaysWhatTheRfcsSay) {
  for (const Vector& v : vectors) {
    ScramClient client{v.hash, "user", "pencil", string{v.client_nonce}};
    EXPECT_EQ(client.first(), v.client_first);
    EXPECT_EQ(client.answer(v.server_first).value(), v.client_final);
    EXPECT_TRUE(client.finish(v.server_final).has_value());
  }
}

TEST(Scram, ServerSaysWhatTheRfcsSay) {
  for (const Vector& v : vectors) {
    const string_view both = v.server_first.substr(2, v.server_first.find(',') - 2);
    ScramServer server{v.hash, string{both.substr(v.client_nonce.size())}};
    const auto lookup = [&v](string_view) {
      return make_scram_verifier(v.hash, "pencil", string{v.salt}, 4096);
    };
    EXPECT_EQ(server.begin(v.client_first, lookup).value(), v.server_first);
    EXPECT_EQ(server.user(), "user");
    EXPECT_EQ(server.finish(v.client_final).value(), v.server_final);
  }
}

TEST(Scram, MethodsAreNamedExactlyAndWithoutChannelBinding) {
  EXPECT_EQ(find_scram_hash("SCRAM-SHA-1"), ScramHash::sha1);
  EXPECT_EQ(find_scram_hash("SCRAM-SHA-256"), ScramHash::sha256);
  EXPECT_EQ(find_scram_hash("SCRAM-SHA-512"), ScramHash::sha512);
  for (const string_view other : {"SCRAM-SHA-256-PLUS", "scram-sha-256", "SCRAM-SHA-384", "SCRAM", ""})
    EXPECT_FALSE(find_scram_hash(other)) << other;
}

// What a conversation of ours with ours says.
struct Talk {
  string client_first, server_first, client_final, server_final;
};

constexpr std::uint32_t iterations = ScramClient::iterations_min;

ScramServer::Lookup knows(ScramHash hash, string user, string password) {
  return [=](string_view asked) {
    if (asked == user) return make_scram_verifier(hash, password, "salty", iterations);
    return unknown_user_verifier(hash, asked, "secret", 5, iterations);
  };
}

Talk talk(ScramHash hash, const string& user, const string& password) {
  ScramClient client{hash, user, password, "client"};
  ScramServer server{hash, "server"};
  Talk said;
  said.client_first = client.first();
  said.server_first = server.begin(said.client_first, knows(hash, user, password)).value();
  said.client_final = client.answer(said.server_first).value();
  said.server_final = server.finish(said.client_final).value();
  EXPECT_EQ(server.user(), user);
  EXPECT_TRUE(client.finish(said.server_final).has_value());
  return said;
}

constexpr std::array hashes{ScramHash::sha1, ScramHash::sha256, ScramHash::sha512};

TEST(Scram, AnyUserAndPasswordGetThrough) {
  std::mt19937 random{7};
  const std::array<string_view, 8> pieces{",", "=", "=2C", "a", " ", "ü", "日本", "%00"};
  const auto text = [&] {
    string out{"x"};
    for (auto n = random() % 20; n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int i = 0; i < 60; ++i) {
    const string user = text(), password = text();
    ASSERT_TRUE(check_saslprep(user, "user").has_value());
    talk(hashes[static_cast<std::size_t>(i) % hashes.size()], user, password);
  }
}

TEST(Scram, WrongPasswordAndUnknownUserAreRefusedAlike) {
  for (const ScramHash hash : hashes) {
    const auto attempt = [hash](const string& user) {
      ScramClient client{hash, user, "wrong", "client"};
      ScramServer server{hash, "server"};
      const string challenge = server.begin(client.first(), knows(hash, "joe", "right")).value();
      const auto end = server.finish(client.answer(challenge).value());
      EXPECT_FALSE(end.has_value());
      return std::pair{challenge.size(), end.error().context};
    };
    EXPECT_EQ(attempt("joe"), attempt("jim"));
  }
}

TEST(Scram, UnknownUsersHaveEachAConstantSalt) {
  const auto salt = [](string_view user, string_view secret) {
    return unknown_user_verifier(ScramHash::sha256, user, secret, 16, iterations).salt;
  };
  EXPECT_EQ(salt("a", "s"), salt("a", "s"));
  EXPECT_NE(salt("a", "s"), salt("b", "s"));
  EXPECT_NE(salt("a", "s"), salt("a", "t"));
  EXPECT_EQ(salt("a", "s").size(), 16U);
}

/// `said` with each of its bytes changed by the mask, in turn.
template <class Try>
void for_each_tampering(const string& said, Try&& attempt) {
  for (std::size_t i = 0; i < said.size(); ++i) {
    string tampered = said;
    tampered[i] = static_cast<char>(tampered[i] ^ 1);
    attempt(tampered, i);
  }
}

/// A change that nobody can notice when it is made, as with the salt, makes the proof wrong.
TEST(Scram, AServerFirstChangedAnywhereEndsInRefusal) {
  const Talk said = talk(ScramHash::sha256, "joe", "pencil");
  for_each_tampering(said.server_first, [&](const string& tampered, std::size_t i) {
    ScramClient client{ScramHash::sha256, "joe", "pencil", "client"};
    ScramServer server{ScramHash::sha256, "server"};
    (void)server.begin(client.first(), knows(ScramHash::sha256, "joe", "pencil")).value();
    const auto answer = client.answer(tampered);
    EXPECT_FALSE(answer && server.finish(*answer)) << i;
    EXPECT_FALSE(answer && client.finish(said.server_final)) << i;
  });
}

TEST(Scram, AServerFinalChangedAnywhereIsRefused) {
  const Talk said = talk(ScramHash::sha256, "joe", "pencil");
  for_each_tampering(said.server_final, [&](const string& tampered, std::size_t i) {
    ScramClient client{ScramHash::sha256, "joe", "pencil", "client"};
    ASSERT_TRUE(client.answer(said.server_first).has_value());
    EXPECT_FALSE(client.finish(tampered)) << i;
  });
}

TEST(Scram, AClientFinalChangedAnywhereIsRefused) {
  const Talk said = talk(ScramHash::sha256, "joe", "pencil");
  for_each_tampering(said.client_final, [&](const string& tampered, std::size_t i) {
    ScramServer server{ScramHash::sha256, "server"};
    (void)server.begin(said.client_first, knows(ScramHash::sha256, "joe", "pencil")).value();
    EXPECT_FALSE(server.finish(tampered)) << i;
  });
}

TEST(Scram, AClientFirstChangedAnywhereEndsInRefusal) {
  const Talk said = talk(ScramHash::sha256, "joe", "pencil");
  for_each_tampering(said.client_first, [&](const string& tampered, std::size_t i) {
    ScramServer server{ScramHash::sha256, "server"};
    const auto answer = server.begin(tampered, knows(ScramHash::sha256, "joe", "pencil"));
    EXPECT_FALSE(answer && server.finish(said.client_final)) << i;
  });
}

TEST(ScramClient, RefusesWhatAServerMayNotSay) {
  const std::array<std::pair<string_view, string_view>, 20> cases{{
      {"", "has no nonce"},
      {"r=,s=c2FsdA==,i=4096", "has no nonce"},
      {"s=c2FsdA==,r=clientX,i=4096", "has no nonce"},
      {"e=unknown-user", "has no nonce"},
      {"m=x,r=clientX,s=c2FsdA==,i=4096", "extension that is not supported"},
      {"r=clientX,s=c2FsdA==,i=4096,m=x", "garbage"},
      {"r=clientX,s=c2FsdA==,i=4096,", "garbage"},
      {"r=clientX,s=c2FsdA==,i=4096,7=x", "garbage"},
      {"r=client,s=c2FsdA==,i=4096", "of another login"},
      {"r=othersX,s=c2FsdA==,i=4096", "of another login"},
      {"r=client\x01,s=c2FsdA==,i=4096", "has no nonce"},
      {"r=clientX,s=,i=4096", "has no salt"},
      {"r=clientX,s=c2FsdA,i=4096", "has no salt"},
      {"r=clientX,s=c2FsdA==", "has no iteration count"},
      {"r=clientX,s=c2FsdA==,i=", "is not a number"},
      {"r=clientX,s=c2FsdA==,i=4096x", "is not a number"},
      {"r=clientX,s=c2FsdA==,i=1", "fewer than 4096"},
      {"r=clientX,s=c2FsdA==,i=4095", "fewer than 4096"},
      {"r=clientX,s=c2FsdA==,i=2147483648", "more than the 2000000"},
      {"r=clientX,s=c2FsdA==,i=99999999999999999999", "more than the 2000000"},
  }};
  for (const auto& [text, why] : cases) {
    ScramClient client{ScramHash::sha1, "joe", "pencil", "client"};
    const auto answer = client.answer(text);
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().domain, ErrorDomain::authentication);
    EXPECT_NE(answer.error().context.find(why), string::npos) << text << ": " << answer.error().context;
  }
}

TEST(ScramClient, ToleratesExtensionsThatAreNotMandatory) {
  ScramClient client{ScramHash::sha1, "joe", "pencil", "client"};
  EXPECT_TRUE(client.answer("r=clientX,s=c2FsdA==,i=4096,x=y,Z=").has_value());
}

TEST(ScramClient, AnswersOnceAndBelievesOnlyAProof) {
  const Talk said = talk(ScramHash::sha1, "joe", "pencil");
  ScramClient client{ScramHash::sha1, "joe", "pencil", "client"};
  EXPECT_FALSE(client.finish(said.server_final)) << "before its answer";
  ASSERT_TRUE(client.answer(said.server_first).has_value());
  EXPECT_FALSE(client.answer(said.server_first)) << "twice";
  for (const string_view final : {"", "e=invalid-proof", "v=", "v=AAAA", "x=1"}) {
    ScramClient other{ScramHash::sha1, "joe", "pencil", "client"};
    ASSERT_TRUE(other.answer(said.server_first).has_value());
    EXPECT_FALSE(other.finish(final)) << final;
  }
  EXPECT_TRUE(client.finish(said.server_final).has_value());
  EXPECT_FALSE(client.finish(said.server_final)) << "twice";
}

TEST(ScramServer, RefusesWhatAClientMayNotSay) {
  const std::array<string_view, 13> cases{"",
                                          "n=joe,r=c",
                                          "p=tls-unique,,n=joe,r=c",
                                          "n,a=jim,n=joe,r=c",
                                          "x,,n=joe,r=c",
                                          "n,,m=1,n=joe,r=c",
                                          "n,,n=,r=c",
                                          "n,,n=jo=e,r=c",
                                          "n,,n=jo\x07,r=c",
                                          "n,,n=joe",
                                          "n,,n=joe,r=",
                                          "n,,n=joe,r=c,m=1",
                                          "n,,n=joe,r=c,"};
  for (const string_view text : cases) {
    ScramServer server{ScramHash::sha1, "server"};
    EXPECT_FALSE(server.begin(text, knows(ScramHash::sha1, "joe", "pencil"))) << text;
    EXPECT_FALSE(server.finish("c=biws,r=cserver,p=AAAA")) << text;
  }
}

TEST(ScramServer, EachMessageHasItsTurn) {
  const auto lookup = knows(ScramHash::sha1, "joe", "pencil");
  const Talk said = talk(ScramHash::sha1, "joe", "pencil");
  ScramServer server{ScramHash::sha1, "server"};
  EXPECT_FALSE(server.finish(said.client_final));
  ASSERT_TRUE(server.begin(said.client_first, lookup).has_value());
  EXPECT_FALSE(server.begin(said.client_first, lookup));
  EXPECT_TRUE(server.finish(said.client_final).has_value());
  EXPECT_FALSE(server.finish(said.client_final)) << "a repetition";
}

TEST(ScramName, CommaAndEqualsSignAreEscaped) {
  EXPECT_EQ(to_scram_name("a,b=c"), "a=2Cb=3Dc");
  EXPECT_EQ(from_scram_name("a=2Cb=3Dc"), "a,b=c");
  for (const string_view bad : {"", "a=", "a=2", "=2c", "a=41"}) EXPECT_FALSE(from_scram_name(bad)) << bad;
}

TEST(Saslprep, WhatItLeavesAloneIsTaken) {
  for (const string_view text :
       {"", "plain", "~ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}", "Grüße", "Ελλάδα", "Привет", "日本語", "한글"})
    EXPECT_TRUE(check_saslprep(text, "it").has_value()) << text;
}

// RFC 4013, section 3: its own examples are among them.
TEST(Saslprep, WhatItWouldChangeOrForbidsIsRefused) {
  const std::array<string_view, 16> cases{"I\u00ADX",      // mapped to nothing
                                          "\u00AA",        // NFKC: a
                                          "\u2168",        // NFKC: IX
                                          "a\x07",         // control
                                          "\u0085",        // control above ASCII
                                          "\u06271",       // right to left
                                          "a\u00A0b",      // mapped to a space
                                          "u\u0308",       // NFKC: ü
                                          "\u1100\u1161",  // NFKC: one syllable
                                          "\uFF21",        // full width
                                          "\uE000",        // private use
                                          "\uFFFD",        // not for plain text
                                          "\u200E",        // changes display
                                          "\U0001F600",    // not in Unicode 3.2
                                          "\U0010FFFF",    // no character
                                          "\xC3"};         // no UTF-8
  for (const string_view text : cases) {
    const auto result = check_saslprep(text, "the password");
    ASSERT_FALSE(result) << text;
    EXPECT_TRUE(result.error().context.starts_with("the password ")) << result.error().context;
  }
}

}  // namespace
}  // namespace mqtt
