#include "mqbroker/log_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace mq {
namespace {

/// A pipe that holds one page.
class Pipe {
 public:
  Pipe() {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::fcntl(ends_[0], F_SETPIPE_SZ, 4096);
  }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int writing_end() const { return ends_[1]; }

  std::string read() {
    std::string data(1 << 16, '\0');
    const ssize_t count = ::read(ends_[0], data.data(), data.size());
    data.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return data;
  }

 private:
  std::array<int, 2> ends_{};
};

struct LogOutputTest : testing::Test {
  Pipe pipe;
  LogOutput output{pipe.writing_end(), [](std::uint64_t count) { return fmt::format("{} lost\n", count); }};
};

TEST_F(LogOutputTest, WritesLines) {
  output.write("one\n");
  output.write("two\n");
  EXPECT_EQ(pipe.read(), "one\ntwo\n");
}

TEST_F(LogOutputTest, ALineIsFinishedAndThoseAfterItAreCountedAsLost) {
  const std::string first = std::string(6'000, 'a') + "\n";
  output.write(first);
  output.write("lost\n");
  output.write("lost, too\n");
  std::string seen = pipe.read();
  output.write("next\n");
  seen += pipe.read();
  EXPECT_EQ(seen, first + "2 lost\nnext\n");
}

TEST_F(LogOutputTest, ALineOfWhichNothingIsTakenIsLostAsAWhole) {
  output.write(std::string(4'095, 'a') + "\n");
  output.write("lost\n");
  (void)pipe.read();
  output.write("next\n");
  EXPECT_EQ(pipe.read(), "1 lost\nnext\n");
}

}  // namespace
}  // namespace mq
