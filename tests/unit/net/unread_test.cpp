#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/uv_stream.hpp>

namespace mqtt::net {
namespace {

/// The other end puts as much as a socket takes behind each of the first `refills` reads: it is never empty.
class Refilled final : private StreamHandler {
 public:
  explicit Refilled(int refills) : refills_{refills} {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    other_end_ = OwnedFd{ends[1]};
    auto socket = adopt_unix_socket(loop_, OwnedFd{ends[0]}, std::make_shared<const std::string>("pair"));
    stream_ = std::make_unique<UvStream>(std::move(*socket));
    refill();
    stream_->set_handler(this);
    loop_.run();
  }

  [[nodiscard]] std::uint64_t unread_turns() const { return loop_.unread_turns(); }

 private:
  void on_data(Bytes bytes) override {
    read_ += bytes.size();
    if (refills_-- > 0) refill();
    if (read_ == written_) loop_.stop();
  }
  void on_writable() override {}
  void on_end() override {}
  void on_error(Error) override {}

  void refill() {
    for (ssize_t size = 0; size >= 0; size = write(other_end_.get(), block_.data(), block_.size()))
      written_ += static_cast<std::size_t>(size);
  }

  Loop loop_;
  OwnedFd other_end_;
  std::unique_ptr<UvStream> stream_;
  std::vector<char> block_ = std::vector<char>(4096);
  int refills_;
  std::size_t read_ = 0;
  std::size_t written_ = 0;
};

TEST(UnreadTurns, CountsATurnThatLeavesASocketWithMoreThanItReads) {
  EXPECT_EQ(Refilled{31}.unread_turns(), 1u);
}

TEST(UnreadTurns, CountsNoTurnThatReadsAllThereIs) { EXPECT_EQ(Refilled{5}.unread_turns(), 0u); }

}  // namespace
}  // namespace mqtt::net
