#include "common/jwt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include <mqtt/util/base64.hpp>

#include "common/token_source.hpp"

namespace mq {
namespace {

using namespace std::chrono_literals;

std::string jwt(std::string_view claims) {
  std::string part = mqtt::to_base64(mqtt::as_bytes(claims));
  std::ranges::replace(part, '+', '-');
  std::ranges::replace(part, '/', '_');
  part.erase(std::ranges::find(part, '='), part.end());
  return "eyJhbGciOiJub25lIn0." + part + ".c2ln";
}

constexpr WallTime at(std::chrono::seconds seconds) { return WallTime{seconds}; }

TEST(Jwt, EndsWhenItsClaimSays) {
  EXPECT_EQ(jwt_expiry(jwt(R"({"exp":1795245607})")), at(1'795'245'607s));
  EXPECT_EQ(jwt_expiry(jwt(R"({"sub":"a","exp":1795245607.5,"x":{"exp":1}})")), at(1'795'245'607s) + 500ms);
  EXPECT_EQ(jwt_expiry(jwt(" { \"e\\u0078p\" : 17 } ")), at(17s));
  EXPECT_EQ(jwt_expiry(jwt(R"({"name":"~~~???>>>","exp":17})")), at(17s)) << "base64url's own letters";
}

TEST(Jwt, WhatIsNoneHasNoEnd) {
  for (const std::string& token :
       {std::string{}, std::string{"opaque"}, std::string{"a.b"}, std::string{"a.*.c"}, jwt(""), jwt("{}"),
        jwt("17"), jwt("[]"), jwt(R"({"exp":"17"})"), jwt(R"({"exp":-1})"), jwt(R"({"exp":1e300})"),
        jwt(R"({"exp":null})"), jwt(R"({"exp":17)"), jwt("{\"\xff\":1,\"exp\":17}"),
        jwt(R"({"x":{"exp":17}})")})
    EXPECT_FALSE(jwt_expiry(token)) << token;
}

TEST(MakeToken, LivesAsLongAsItSaysOrElseAsTheOptionSays) {
  const std::string says = jwt(R"({"exp":1000})");
  EXPECT_EQ(make_token(says, std::nullopt, at(900s))->life, 100s);
  EXPECT_EQ(make_token(says, 1h, at(900s))->life, 100s);
  EXPECT_EQ(make_token(says, 1h, at(1001s))->life, -1s);
  EXPECT_EQ(make_token("opaque", 1h, at(900s))->life, 1h);
  EXPECT_FALSE(make_token("opaque", std::nullopt, at(900s))->life);
}

TEST(MakeToken, NothingOrTooMuchIsNoToken) {
  EXPECT_FALSE(make_token("", std::nullopt, at(0s)));
  EXPECT_TRUE(make_token(std::string(65'535, 'x'), std::nullopt, at(0s)));
  EXPECT_FALSE(make_token(std::string(65'536, 'x'), std::nullopt, at(0s)));
}

}  // namespace
}  // namespace mq
