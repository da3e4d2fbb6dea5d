#include <mqtt/auth/password_file.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ctime>

#include <mqtt/auth/password_users.hpp>
#include <mqtt/session/scram.hpp>

namespace mqtt::auth {
namespace {

using broker::AuthDecision;

// By mosquitto_passwd 2.0 ("joe" has "pencil"), and its format $6$ by Python's hashlib: sha512(b"pencil" +
// b"saltsaltsalt").
const std::string joe_7 =
    "$7$101$N24B7mBJ/ueikRBe$/7gouCL7OxjOmW4Eq3jKpfGJzKga4hKdWnaLkRXT9fzXNnGeW+tG5v4t"
    "2V86ZKGSVnzUraC4w6A8h1dyvCpN/g==";
const std::string jim_6 =
    "$6$c2FsdHNhbHRzYWx0$PollmAeVIh9XZCuN4dUfyQjtPHqKpyIFuY6PnaM9kJIZFkr8X28ITgSOXhqj"
    "qLD4OxftYDhhQsKU59eNUzedCA==";

// By Python's hashlib and hmac, for "pencil".
const std::string joe_256 =
    "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0$XyVqHySI4GC0OcZEHGCs7mYXnBE7rwiyIWAKA8sSG9I=:c/"
    "Ro9xfg9NNu4KYqzXn4fjCmBHReHiRSXNtU1bjDRFs=";

PasswordFile file_of(const std::string& text) {
  auto file = PasswordFile::parse(text);
  EXPECT_TRUE(file.has_value()) << file.error();
  return std::move(*file);
}

TEST(PasswordFile, ReadsMosquittosFormats) {
  const PasswordFile file = file_of("# users\n\njoe:" + joe_7 + "\r\njim:" + jim_6);
  EXPECT_EQ(file.size(), 2U);
  for (const char* user : {"joe", "jim"}) {
    EXPECT_TRUE(file.fits(user, "pencil")) << user;
    for (const char* wrong : {"", "Pencil", "pencil ", "penci"}) EXPECT_FALSE(file.fits(user, wrong)) << user;
  }
  EXPECT_FALSE(file.fits("jane", "pencil"));
  EXPECT_FALSE(file.fits("", ""));
}

TEST(PasswordFile, WithoutUsersItLetsNobodyIn) {
  for (const char* text : {"", "\n", "# none\n"}) {
    const PasswordFile file = file_of(text);
    EXPECT_FALSE(file.fits("", "")) << "CVE-2018-12550";
    EXPECT_FALSE(file.fits("joe", ""));
  }
}

TEST(PasswordFile, ALineThatIsNoneIsAnErrorWithItsNumber) {
  const std::string hash64(86, 'A');
  const std::string key(43, 'A');
  const std::array<std::string, 24> lines{"joe",
                                          "joe:SCRAM-SHA-256$1:YQ==$" + key + "=",
                                          "joe:SCRAM-SHA-256$0:YQ==$" + key + "=:" + key + "=",
                                          "joe:SCRAM-SHA-256$1000001:YQ==$" + key + "=:" + key + "=",
                                          "joe:SCRAM-SHA-256$1:$" + key + "=:" + key + "=",
                                          "joe:SCRAM-SHA-256$1:YQ==$" + key + "=:YQ==",
                                          "joe:SCRAM-SHA-1$1:YQ==$" + key + "=:" + key + "=",
                                          "joe:",
                                          ":" + joe_7,
                                          "joe:pencil",
                                          "joe:$7$",
                                          "joe:$5$1$YQ==$" + hash64 + "==",
                                          "joe:$7$0$YQ==$" + hash64 + "==",
                                          "joe:$7$-1$YQ==$" + hash64 + "==",
                                          "joe:$7$1000001$YQ==$" + hash64 + "==",
                                          "joe:$7$99999999999$YQ==$" + hash64 + "==",
                                          "joe:$7$1$$" + hash64 + "==",
                                          "joe:$7$1$*$" + hash64 + "==",
                                          "joe:$7$1$YQ==$YQ==",
                                          "joe:$7$1$YQ==$" + hash64 + "==$",
                                          "joe:$7$1$YQ==",
                                          "j\x01oe:" + joe_7,
                                          "\xff:" + joe_7,
                                          "joe:$6$YQ=="};
  for (const std::string& line : lines) {
    const auto file = PasswordFile::parse("# first\n" + line + "\njim:" + jim_6 + "\n");
    ASSERT_FALSE(file.has_value()) << line;
    EXPECT_TRUE(file.error().starts_with("2: ")) << file.error();
  }
  EXPECT_FALSE(PasswordFile::parse("joe:" + joe_7 + "\njoe:" + jim_6).has_value()) << "twice";
  EXPECT_FALSE(PasswordFile::parse("joe:" + joe_256 + "\njoe:" + joe_256).has_value()) << "twice";
}

TEST(PasswordHash, IsWrittenAsItIsRead) {
  const PasswordHash made = PasswordHash::make("pencil", "saltsaltsalt", 101);
  const auto read = PasswordHash::parse(made.to_text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->to_text(), made.to_text());
  EXPECT_TRUE(read->fits("pencil"));
  EXPECT_FALSE(read->fits("pencil2"));
  EXPECT_EQ(PasswordHash::parse(jim_6)->to_text(), jim_6);
}

TEST(ScramSha256, IsWrittenAsItIsRead) {
  const auto read = parse_scram_sha256(joe_256);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), joe_256);
  EXPECT_EQ(to_text(make_scram_verifier(ScramHash::sha256, "pencil", "saltsaltsalt", 4096)), joe_256);
}

TEST(PasswordFile, AVerifierForScramTakesThePasswordItselfToo) {
  for (const std::string& text :
       {"joe:" + joe_256, "joe:" + joe_256 + "\njoe:" + joe_7, "jim:" + jim_6 + "\njoe:" + joe_256}) {
    const PasswordFile file = file_of(text);
    EXPECT_TRUE(file.fits("joe", "pencil")) << text;
    for (const char* wrong : {"", "Pencil", "pencil "}) EXPECT_FALSE(file.fits("joe", wrong)) << text;
    EXPECT_FALSE(file.fits("jane", "pencil")) << text;
    EXPECT_FALSE(file.fits("jane", "")) << text;
  }
}

/// Processor time of this thread: what else the machine does is none of it.
double cost_of(const PasswordFile& file, std::string_view user) {
  const auto used = [] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  };
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double before = used();
    EXPECT_FALSE(file.fits(user, "wrong"));
    least = std::min(least, used() - before);
  }
  return least;
}

TEST(PasswordFile, AnUnknownUserCostsWhatAWrongPasswordDoes) {
  constexpr std::uint32_t iterations = 10'000;
  const std::string hash = PasswordHash::make("pencil", "saltsaltsalt", iterations).to_text();
  const std::string verifier =
      to_text(make_scram_verifier(ScramHash::sha256, "pencil", "saltsaltsalt", iterations));
  for (const std::string& kept : {hash, verifier}) {
    const PasswordFile file = file_of("joe:" + kept);
    const double known = cost_of(file, "joe"), unknown = cost_of(file, "jane");
    EXPECT_LT(known, 2 * unknown) << kept;
    EXPECT_LT(unknown, 2 * known) << kept;
  }
}

TEST(WithUser, ReplacesAddsAndTakesAway) {
  const std::vector<std::string> hash{"x"};
  const std::string line = "joe:x\n";
  EXPECT_EQ(with_user("", "joe", hash), line);
  EXPECT_EQ(with_user("# a\njim:y", "joe", hash), "# a\njim:y\n" + line) << "a last line without its end";
  EXPECT_EQ(with_user("joe:old\njoey:z\n", "joe", hash), line + "joey:z\n");
  EXPECT_EQ(with_user("a:1\njoe:old\n", "joe", {}), "a:1\n");
  EXPECT_EQ(with_user("joe:old\na:1\njoe:older\n", "joe", {"x", "y"}), "joe:x\njoe:y\na:1\n");
}

constexpr std::uint32_t enough = ScramClient::iterations_min;

/// How a login of `user` by SCRAM ends.
AuthDecision log_in(PasswordUsers& users, std::string_view user, std::string password,
                    std::string_view method = "SCRAM-SHA-512") {
  const auto exchange = users.begin(method, "id");
  ScramClient client{*find_scram_hash(method), user, std::move(password), "client"};
  const AuthDecision challenge = exchange->step(client.first());
  EXPECT_EQ(challenge.kind, AuthDecision::Kind::challenge);
  AuthDecision end = exchange->step(client.answer(challenge.data).value_or(""));
  EXPECT_TRUE(end.kind != AuthDecision::Kind::allow || client.finish(end.data).has_value());
  return end;
}

PasswordUsers users_of(std::string text) {
  return {file_of(std::move(text)), {"open"}, [] { return std::string{"server"}; }};
}

TEST(PasswordUsers, ScramServesWhatIsKeptIterated) {
  auto users =
      users_of("joe:" + PasswordHash::make("pencil", "saltsaltsalt", enough).to_text() + "\njim:" + jim_6);
  const AuthDecision joe = log_in(users, "joe", "pencil");
  EXPECT_EQ(joe.kind, AuthDecision::Kind::allow);
  EXPECT_EQ(joe.user, "joe");
  for (const auto& [user, password] : {std::pair{"joe", "wrong"}, {"jim", "pencil"}, {"jane", "pencil"}}) {
    const AuthDecision refused = log_in(users, user, password);
    EXPECT_EQ(refused.kind, AuthDecision::Kind::refuse) << user;
    EXPECT_EQ(refused.reason, ReasonCode::not_authorized) << user;
  }
}

TEST(PasswordUsers, ScramSha256ServesWhoHasAVerifierForIt) {
  auto users = users_of("joe:" + joe_256 + "\njim:" + jim_6);
  const AuthDecision joe = log_in(users, "joe", "pencil", "SCRAM-SHA-256");
  EXPECT_EQ(joe.kind, AuthDecision::Kind::allow);
  EXPECT_EQ(joe.user, "joe");
  for (const auto& [user, password] : {std::pair{"joe", "wrong"}, {"jim", "pencil"}, {"jane", "pencil"}}) {
    const AuthDecision refused = log_in(users, user, password, "SCRAM-SHA-256");
    EXPECT_EQ(refused.reason, ReasonCode::not_authorized) << user;
    EXPECT_EQ(refused.kind, AuthDecision::Kind::refuse) << user;
  }
  EXPECT_EQ(log_in(users, "joe", "pencil").kind, AuthDecision::Kind::refuse) << "SHA-512 needs another";
}

TEST(PasswordUsers, AnUnknownUserIsChallengedLikeAKnownOne) {
  auto users =
      users_of("joe:" + PasswordHash::make("pencil", "saltsaltsalt", enough).to_text() + "\njoe:" + joe_256);
  for (const char* method : {"SCRAM-SHA-512", "SCRAM-SHA-256"}) {
    const auto first = [&](std::string_view user) {
      return users.begin(method, "")->step(ScramClient{*find_scram_hash(method), user, "", "c"}.first());
    };
    EXPECT_EQ(first("joe").kind, first("jan").kind) << method;
    EXPECT_EQ(first("joe").data.size(), first("jan").data.size()) << method;
    EXPECT_EQ(first("jan").data, first("jan").data) << method << ": a salt that changes gives it away";
    EXPECT_NE(first("jan").data, first("jon").data) << method << ": as one that all share would";
  }
}

TEST(PasswordUsers, OtherMethodsAndStepsOutOfTurnAreRefused) {
  auto users = users_of("joe:" + joe_7);
  for (const char* method : {"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512-PLUS", "PLAIN", ""})
    EXPECT_FALSE(users.begin(method, "")) << method;
  for (const char* first : {"", "n,,n=joe", "c=biws,r=cserver,p=AAAA"}) {
    const auto exchange = users.begin("SCRAM-SHA-512", "");
    EXPECT_EQ(exchange->step(first).kind, AuthDecision::Kind::refuse) << first;
    EXPECT_EQ(exchange->step("c=biws,r=cserver,p=AAAA").kind, AuthDecision::Kind::refuse) << first;
  }
}

TEST(PasswordUsers, AnonymousOnlyWhereThatIsSaid) {
  auto users = users_of("joe:" + joe_7);
  const auto attempt = [&](std::string_view listener, std::optional<std::string_view> user,
                           std::string_view password) {
    ConnectView connect;
    connect.user_name = user;
    connect.password = as_bytes(password);
    const AuthDecision decision = users.authenticate(
        connect, {.address = "", .listener = std::string{listener}, .certificate_common_name = ""});
    return decision.kind == AuthDecision::Kind::later ? decision.work() : decision;
  };
  EXPECT_EQ(attempt("closed", "joe", "pencil").kind, AuthDecision::Kind::allow);
  EXPECT_EQ(attempt("closed", std::nullopt, "pencil").reason, ReasonCode::not_authorized);
  EXPECT_EQ(attempt("closed", "", "").reason, ReasonCode::bad_user_name_or_password);
  EXPECT_EQ(attempt("open", std::nullopt, "").kind, AuthDecision::Kind::allow);
  EXPECT_EQ(attempt("open", "joe", "wrong").reason, ReasonCode::bad_user_name_or_password);
}

}  // namespace
}  // namespace mqtt::auth
