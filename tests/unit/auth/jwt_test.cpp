#include <mqtt/auth/jwt.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include <mqtt/auth/password_file.hpp>
#include <mqtt/auth/password_users.hpp>
#include <mqtt/auth/token_users.hpp>
#include <mqtt/session/scram_crypto.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>

namespace mqtt::auth {
namespace {

using broker::AuthDecision;

// Signed by Python's cryptography: {"sub":"joe","exp":1300819380}.
const std::string rs_token =
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2UiLCJleHAiOjEzMDA4MTkzODB9.K1ze4jlzajfwTtKWu9SB_nXU65"
    "NdyezvcQlSNBc6uJujIWctS7AZAvi2sW_Uq0bKwzqvzfI_hjl7mKJ4XHQoG8wnRY6e0ee_JgGNWyD-kA_Xgtp9k4"
    "BWMM3GAUbJHR6Ad7KwGFUAC68FKO7uUhtvpHOrktdEt9Y1Uq8AzvwqdouHdYGcg9WpAgaoo1yyStGNXPZKrMhNYx"
    "rA6G6vkxzlzEfMifTfFBFO-GASHHAb2r49A9MCSkMrQ0ER7jE2xHMDVO1qoyl3Zq01Aj_hp1fzVXpKgXRy69hJSg"
    "wHfH7jv5EvYYOu8wcs3s2r4Dit_aVKeKoQd1MAwJiqbB0AYwW78Q";
const std::string rs_jwk =
    "{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"qp6hwImbI72FRsYgnsD31AOF0WasqbXx2bxAkrlC_046p6s0soz5kimddKMX"
    "Lpftw-Z-w9oJPbMdrz-LOkbOaAYapFWnPft8jozNddu3XrSwwQEtoULtn0GalxYavSM0Dvql4JpaOqnqJwGvtOn_"
    "86zqyU4tMCb7ieshyu1gsr2o-wjRYdgGyZPM_b8nmMIlVBJeArgek-jAyA5vcWUDUhQcCc3bR8w4miCivk_iEF9y"
    "EXgKuWTVWkRZPXvIVSzCSq_oZpV7jMHK3tn9jIGp4cAHbeA-gy-pr4Y-1j7TGqjCd3d8-oIZnR5slzuOwylWVbyH"
    "VwqqrX53uKv_mDbexw\",\"e\":\"AQAB\"}";
const std::string rs_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqp6hwImbI72FRsYgnsD3\n"
    "1AOF0WasqbXx2bxAkrlC/046p6s0soz5kimddKMXLpftw+Z+w9oJPbMdrz+LOkbO\n"
    "aAYapFWnPft8jozNddu3XrSwwQEtoULtn0GalxYavSM0Dvql4JpaOqnqJwGvtOn/\n"
    "86zqyU4tMCb7ieshyu1gsr2o+wjRYdgGyZPM/b8nmMIlVBJeArgek+jAyA5vcWUD\n"
    "UhQcCc3bR8w4miCivk/iEF9yEXgKuWTVWkRZPXvIVSzCSq/oZpV7jMHK3tn9jIGp\n"
    "4cAHbeA+gy+pr4Y+1j7TGqjCd3d8+oIZnR5slzuOwylWVbyHVwqqrX53uKv/mDbe\n"
    "xwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
const std::string rs_small_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC0wfjo8v96rzxalSAK9JyhXUZU\n"
    "jdWhfLJJNe28fzU+BcLcSTW8B6sbb3WG9EjzfKj9axkehMnfn4KQcKPyA8AKo2Gh\n"
    "O3n7y5xEIL1sq7iNteAMfQGT8I1GSxy1PyVZcXOqGjA7iYWIFJMrDX1Oaz93xIbS\n"
    "CrHhlZCDnlUaUeC0EwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
const std::string es_token =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJzdWIiOiJqb2UiLCJleHAiOjEzMDA4MTkzODB9.FbSuSGsLx6ex"
    "WB4TxsYkvwJmCDnEaUhaYlbxUJ9dvl9BjKIUPDt6Zf36uR6j-GGH-7rPe-v90ZBHSzA807SvZQ";
const std::string es_jwk =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"m-554fpaR_gqlkzENtznaggJSpWI6RQBMgMC0l57d0U\","
    "\"y"
    "\":\"uLhxf4z3vzlRB0UOwjHlDkKrVlqCFInj_rGXdpq6HZI\"}";
const std::string es_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEm+554fpaR/gqlkzENtznaggJSpWI\n"
    "6RQBMgMC0l57d0W4uHF/jPe/OVEHRQ7CMeUOQqtWWoIUieP+sZd2mrodkg==\n"
    "-----END PUBLIC KEY-----\n";
const std::string p384_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAETx/vJy+vF/UGBak8RmRtKD0rGmUgycoI\n"
    "7oRHbKSN6fDaqtvJVCiqwvpbhnqXuqthpEXXs/fFvrB+NT/CnKins089AizIuNvX\n"
    "UEoHmCAR8ZOrpd3wpGvixJQjv76KYdn6\n"
    "-----END PUBLIC KEY-----\n";

constexpr double unix_now = 1'300'000'000;
const std::string hs_secret = "0123456789abcdef0123456789abcdef";

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(as_bytes(bytes));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string sign(std::string_view header, std::string_view claims, std::string_view with = hs_secret) {
  const std::string text = fmt::format("{}.{}", base64url(header), base64url(claims));
  return fmt::format("{}.{}", text, base64url(hmac(ScramHash::sha256, with, text)));
}

std::string sign(std::string_view claims) { return sign(R"({"alg":"HS256","typ":"JWT"})", claims); }

std::vector<JwtKey> keys_of(std::string_view text) {
  auto keys = parse_jwt_keys(text);
  EXPECT_TRUE(keys) << keys.error();
  return std::move(*keys);
}

std::vector<JwtKey> secret_key() { return {JwtKey::of_secret(hs_secret).value()}; }

std::vector<JwtKey> all_keys() {
  auto keys = keys_of(fmt::format(R"({{"keys":[{},{}]}})", rs_jwk, es_jwk));
  keys.push_back(JwtKey::of_secret(hs_secret).value());
  return keys;
}

std::optional<std::string> user_of(std::string_view token, const std::vector<JwtKey>& keys,
                                   const JwtRules& rules = {}) {
  const auto grant = check_jwt(token, keys, rules, "client", unix_now);
  return grant ? std::optional{grant->user} : std::nullopt;
}

TEST(Jwt, EachAlgorithmByItsKey) {
  EXPECT_EQ(user_of(rs_token, keys_of(rs_pem)), "joe");
  EXPECT_EQ(user_of(es_token, keys_of(es_pem)), "joe");
  EXPECT_EQ(user_of(rs_token, keys_of(es_pem + rs_pem)), "joe");
  const std::string good = sign(R"({"sub":"joe","exp":1300819380})");
  for (const std::string& token : {rs_token, es_token, good})
    EXPECT_EQ(user_of(token, all_keys()), "joe") << token;
  EXPECT_EQ(check_jwt(good, all_keys(), {}, "", unix_now)->ends, 1300819380);
}

TEST(Jwt, WhatIsTamperedWithIsRefused) {
  const std::string good = sign(R"({"sub":"joe","exp":1300819380})");
  for (const std::string& token : {rs_token, es_token, good}) {
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string bent = token;
      bent[i] = bent[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(user_of(bent, all_keys())) << i;
      EXPECT_FALSE(user_of(token.substr(0, i), all_keys())) << i;
    }
    for (const char* more : {".", "A", ".A", "=", "AA", "AAAA"})
      EXPECT_FALSE(user_of(token + more, all_keys())) << more;
  }
}

TEST(Jwt, NoneIsNoAlgorithm) {
  for (const char* algorithm :
       {"none", "None", "NONE", "nOnE", "", "HS384", "RS512", "ES384", "PS256", "hs256"}) {
    const std::string header = fmt::format(R"({{"alg":"{}"}})", algorithm);
    const std::string token = sign(header, R"({"sub":"joe","exp":1300819380})");
    EXPECT_FALSE(user_of(token, all_keys())) << algorithm;
    EXPECT_FALSE(user_of(token.substr(0, token.rfind('.') + 1), all_keys())) << algorithm << ", unsigned";
  }
  for (const char* header :
       {"{}", R"({"alg":null})", R"({"alg":["HS256"]})", "[]", "", "x", R"({"alg":"HS256","crit":["b64"]})"})
    EXPECT_FALSE(user_of(sign(header, R"({"sub":"joe","exp":1300819380})"), all_keys())) << header;
}

TEST(Jwt, APublicKeyIsNoSecret) {
  for (const std::string& known : {rs_pem, es_pem, rs_jwk, es_jwk}) {
    const std::string claims = R"({"sub":"joe","exp":1300819380})";
    for (const char* header : {R"({"alg":"HS256"})", R"({"alg":"RS256"})", R"({"alg":"ES256"})"}) {
      EXPECT_FALSE(user_of(sign(header, claims, known), keys_of(rs_pem + es_pem))) << header;
      EXPECT_FALSE(user_of(sign(header, claims, known), all_keys())) << header;
    }
  }
  EXPECT_FALSE(user_of(rs_token, secret_key()));
  EXPECT_FALSE(user_of(es_token, keys_of(rs_pem)));
}

TEST(Jwt, AKeyIdChoosesAmongKeysThatHaveOne) {
  const std::string claims = R"({"sub":"joe","exp":1300819380})";
  const std::string token = sign(R"({"alg":"HS256","kid":"a"})", claims);
  EXPECT_EQ(user_of(token, {JwtKey::of_secret(hs_secret, "a").value()}), "joe");
  EXPECT_EQ(user_of(token, {JwtKey::of_secret(hs_secret).value()}), "joe");
  EXPECT_FALSE(user_of(token, {JwtKey::of_secret(hs_secret, "b").value()}));
}

TEST(Jwt, TimeAndClaims) {
  const JwtRules strict{.audience = "mqtt", .user_claim = "name", .client_id_claim = "cid"};
  const auto attempt = [&](std::string_view claims) { return user_of(sign(claims), secret_key(), strict); };
  EXPECT_EQ(attempt(R"({"name":"joe","exp":1300000001,"nbf":1300000030,"aud":"mqtt","cid":"client"})"),
            "joe");
  EXPECT_EQ(attempt(R"({"name":"joe","exp":1300000000.5,"aud":["a","mqtt"],"cid":"client"})"), "joe");
  for (const char* claims :
       {R"({"name":"joe","aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":1300000000,"aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":"1300000001","aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":-1,"aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":1e999,"aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":1300000001,"nbf":1300000031,"aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":1300000001,"nbf":"x","aud":"mqtt","cid":"client"})",
        R"({"name":"joe","exp":1300000001,"cid":"client"})",
        R"({"name":"joe","exp":1300000001,"aud":"mqtt2","cid":"client"})",
        R"({"name":"joe","exp":1300000001,"aud":["a"],"cid":"client"})",
        R"({"name":"joe","exp":1300000001,"aud":["mqtt"],"cid":"other"})",
        R"({"name":"joe","exp":1300000001,"aud":["mqtt"]})",
        R"({"sub":"joe","exp":1300000001,"aud":["mqtt"],"cid":"client"})",
        R"({"name":"","exp":1300000001,"aud":["mqtt"],"cid":"client"})",
        R"({"name":7,"exp":1300000001,"aud":["mqtt"],"cid":"client"})",
        R"({"name":"a\u0000","exp":1300000001,"aud":["mqtt"],"cid":"client"})",
        R"({"name":"a\n","exp":1300000001,"aud":["mqtt"],"cid":"client"})",
        "[]",
        "null",
        "",
        "{"})
    EXPECT_FALSE(attempt(claims)) << claims;
  EXPECT_FALSE(user_of(sign("{\"sub\":\"\xff\",\"exp\":1300000001}"), secret_key()));
  EXPECT_FALSE(
      user_of(sign(fmt::format(R"({{"sub":"joe","exp":1300000001,"x":"{}"}})", std::string(20'000, 'x'))),
              secret_key()));
}

TEST(Jwt, OnlyOfTheIssuerThatIsAskedFor) {
  const JwtRules rules{.audience = {}, .issuer = "https://id.example", .client_id_claim = {}};
  const auto attempt = [&](std::string_view issuer) {
    const std::string token = sign(fmt::format(R"({{"sub":"joe","exp":1300000001{}}})", issuer));
    return user_of(token, secret_key(), rules);
  };
  EXPECT_EQ(attempt(R"(,"iss":"https://id.example")"), "joe");
  for (const char* other : {"", R"(,"iss":"https://id.example/")", R"(,"iss":"HTTPS://id.example")",
                            R"(,"iss":"")", R"(,"iss":["https://id.example"])", R"(,"iss":null)"})
    EXPECT_FALSE(attempt(other)) << other;
}

TEST(JwtKeys, FilesThatHoldNoneOrTooWeakOnesAreRefused) {
  const std::string other = R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})";
  EXPECT_EQ(keys_of(fmt::format(R"({{"keys":[{},{}]}})", other, es_jwk)).size(), 1U)
      << "others are left alone";
  for (const std::string& text :
       {std::string{}, std::string{"{}"}, std::string{"{"}, std::string{R"({"keys":[]})"},
        std::string{R"({"keys":[1]})"}, std::string{R"({"keys":{}})"},
        fmt::format(R"({{"keys":[{}]}})", other), rs_small_pem, p384_pem, rs_pem + rs_small_pem,
        std::string{R"({"keys":[{"kty":"oct","k":"c2hvcnQ"}]})"},
        std::string{R"({"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]})"},
        std::string{R"({"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]})"},
        fmt::format(R"({{"keys":[{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}]}})",
                    std::string(42, 'A') + "E"),
        std::string{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
        std::string{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
        rs_pem.substr(0, 200)}) {
    const auto keys = parse_jwt_keys(text);
    ASSERT_FALSE(keys) << text;
    EXPECT_FALSE(keys.error().empty());
  }
  EXPECT_FALSE(JwtKey::of_secret("short"));
}

struct TokenUsersTest : testing::Test {
  PasswordUsers passwords{PasswordFile::parse("").value(), {}, [] { return std::string{"nonce"}; }};
  TokenUsers users{secret_key(), {}, [] { return unix_now; }, passwords};

  AuthDecision show(std::string_view password) {
    ConnectView connect;
    connect.client_id = "client";
    connect.user_name = "whoever";
    connect.password = as_bytes(password);
    const AuthDecision decision =
        users.authenticate(connect, {.address = "", .listener = "", .certificate_common_name = ""});
    return decision.kind == AuthDecision::Kind::later ? decision.work() : decision;
  }
};

TEST_F(TokenUsersTest, ATokenIsGoodUntilItsEnd) {
  const AuthDecision decision = show(sign(R"({"sub":"joe","exp":1300000060})"));
  EXPECT_EQ(decision.kind, AuthDecision::Kind::allow);
  EXPECT_EQ(decision.user, "joe");
  EXPECT_EQ(decision.lasts, std::chrono::minutes{1});
  EXPECT_GT(show(sign(R"({"sub":"joe","exp":1e300})")).lasts, std::chrono::years{20});
}

TEST_F(TokenUsersTest, WhatIsNoneIsRefused) {
  for (const std::string& password :
       {std::string{}, std::string{"pencil"}, sign(R"({"sub":"joe","exp":1})"), rs_token}) {
    const AuthDecision decision = show(password);
    EXPECT_EQ(decision.kind, AuthDecision::Kind::refuse) << password;
    EXPECT_EQ(decision.reason, ReasonCode::bad_user_name_or_password) << password;
  }
}

TEST_F(TokenUsersTest, ByAMethodToo) {
  for (const char* method : {"JWT", "OAUTH2-JWT"}) {
    EXPECT_EQ(users.begin(method, "client")->step(sign(R"({"sub":"joe","exp":1300000060})")).user, "joe");
    const AuthDecision refused = users.begin(method, "client")->step("");
    EXPECT_EQ(refused.kind, AuthDecision::Kind::refuse);
    EXPECT_EQ(refused.reason, ReasonCode::not_authorized);
  }
  EXPECT_FALSE(users.begin("jwt", "client"));
}

}  // namespace
}  // namespace mqtt::auth
