#include "common/secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "support/temp_directory.hpp"

namespace mq {
namespace {

using testing::HasSubstr;

std::string resolved(const SecretSource& source) {
  const auto secret = resolve_secret(source, "password");
  if (!secret) return "error: " + secret.error().context;
  return secret->value_or("nothing");
}

/// What stands in a file with this content.
std::string resolved_file(std::string_view content) {
  const mqtt::test::TempDirectory directory;
  return resolved({.file = directory.write("secret", content)});
}

TEST(Secret, NoSourceIsNothing) { EXPECT_EQ(resolved({}), "nothing"); }

TEST(Secret, ValueIsTakenAsItIs) { EXPECT_EQ(resolved({.value = "a\n"}), "a\n"); }

TEST(Secret, FileLosesExactlyOneLineFeed) {
  EXPECT_EQ(resolved_file("pass\n"), "pass");
  EXPECT_EQ(resolved_file("pass\n\n"), "pass\n");
  EXPECT_EQ(resolved_file(" pass\r\n"), " pass\r");
  EXPECT_EQ(resolved_file(""), "");
  EXPECT_EQ(resolved_file(std::string("\0\xff", 2)), std::string("\0\xff", 2));
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
  EXPECT_EQ(resolved_file(std::string(65'535, 'x') + "\n"), std::string(65'535, 'x'));
  EXPECT_THAT(resolved_file(std::string(65'537, 'x')), HasSubstr("File too large"));
  EXPECT_EQ(resolved_file(std::string(65'536, 'x')), "error: the password is longer than 65535 bytes");
}

/// What a person sees who is asked, and what the program then has; `typed` is what they type.
struct Asked {
  std::string seen, answer;
};

Asked ask(std::string_view typed) {
  std::array<int, 2> result{};
  EXPECT_EQ(::pipe(result.data()), 0);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    ::signal(SIGINT, SIG_DFL);  // a shell may have set it to be ignored
    ::alarm(20);                // and nothing waits for ever
    const std::string answer = resolved({.prompt = true});
    ::_exit(::write(result[1], answer.data(), answer.size()) < 0);
  }
  ::close(result[1]);
  Asked asked;
  std::array<char, 256> buffer{};
  while (asked.seen.find(": ") == std::string::npos) {
    const ssize_t count = ::read(terminal, buffer.data(), buffer.size());
    if (count <= 0) break;
    asked.seen.append(buffer.data(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ(::write(terminal, typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
  for (ssize_t count = 0; (count = ::read(terminal, buffer.data(), buffer.size())) > 0;)
    asked.seen.append(buffer.data(), static_cast<std::size_t>(count));
  for (ssize_t count = 0; (count = ::read(result[0], buffer.data(), buffer.size())) > 0;)
    asked.answer.append(buffer.data(), static_cast<std::size_t>(count));
  ::close(result[0]);
  ::close(terminal);
  ::waitpid(child, nullptr, 0);
  return asked;
}

TEST(Secret, PromptDoesNotEcho) {
  const Asked asked = ask("open sesame\n");
  EXPECT_EQ(asked.answer, "open sesame");
  EXPECT_EQ(asked.seen, "password: \r\n");
}

TEST(Secret, PromptEndsWithTheInterrupt) {
  const Asked asked = ask("half\x03");
  EXPECT_EQ(asked.answer, "");  // the child has died of it
}

}  // namespace
}  // namespace mq
