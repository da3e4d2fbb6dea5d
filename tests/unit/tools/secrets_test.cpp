#include "common/secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace mq {
namespace {

using testing::HasSubstr;

std::string resolved(const SecretSource& source) {
  const auto secret = resolve_secret(source, "password");
  if (!secret) return "error: " + secret.error().context;
  return secret->value_or("nothing");
}

std::string file_with(std::string_view content) {
  std::string path = testing::TempDir() + "secret.txt";
  std::ofstream{path, std::ios::binary} << content;
  return path;
}

TEST(Secret, NoSourceIsNothing) { EXPECT_EQ(resolved({}), "nothing"); }

TEST(Secret, ValueIsTakenAsItIs) { EXPECT_EQ(resolved({.value = "a\n"}), "a\n"); }

TEST(Secret, FileLosesExactlyOneLineFeed) {
  EXPECT_EQ(resolved({.file = file_with("pass\n")}), "pass");
  EXPECT_EQ(resolved({.file = file_with("pass\n\n")}), "pass\n");
  EXPECT_EQ(resolved({.file = file_with(" pass\r\n")}), " pass\r");
  EXPECT_EQ(resolved({.file = file_with("")}), "");
  EXPECT_EQ(resolved({.file = file_with(std::string("\0\xff", 2))}), std::string("\0\xff", 2));
}

TEST(Secret, MissingFileIsAnError) {
  EXPECT_THAT(resolved({.file = "/no/such/file"}), HasSubstr("cannot open '/no/such/file': No such file"));
}

TEST(Secret, EnvironmentVariable) {
  ::setenv("MQ_TEST_SECRET", "from env", 1);
  EXPECT_EQ(resolved({.environment = "MQ_TEST_SECRET"}), "from env");
  ::unsetenv("MQ_TEST_SECRET");
  EXPECT_EQ(resolved({.environment = "MQ_TEST_SECRET"}),
            "error: environment variable 'MQ_TEST_SECRET' is not set");
}

TEST(Secret, CommandsOutputLosesOneLineFeed) {
  EXPECT_EQ(resolved({.command = "echo one; echo two"}), "one\ntwo");
  EXPECT_EQ(resolved({.command = "printf 'a b'"}), "a b");
}

TEST(Secret, FailingCommandIsAnError) {
  EXPECT_EQ(resolved({.command = "echo pass; exit 3"}),
            "error: the command for the password ended with status 3");
  EXPECT_EQ(resolved({.command = "kill -TERM $$"}),
            "error: the command for the password was ended by signal 15");
  EXPECT_THAT(resolved({.command = "exec 2>/dev/null; /no/such/program"}), HasSubstr("status 127"));
}

TEST(Secret, TooLongIsAnError) {
  EXPECT_EQ(resolved({.file = file_with(std::string(65'535, 'x') + "\n")}), std::string(65'535, 'x'));
  EXPECT_THAT(resolved({.file = file_with(std::string(65'537, 'x'))}), HasSubstr("File too large"));
  EXPECT_EQ(resolved({.file = file_with(std::string(65'536, 'x'))}),
            "error: the password is longer than 65535 bytes");
}

}  // namespace
}  // namespace mq
