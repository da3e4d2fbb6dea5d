#include <mqtt/net/tcp_info.hpp>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using NameOf = int (*)(int, sockaddr*, socklen_t*);

/// This process's connected descriptor of whose two ends `name` gives the one at `port`.
int connected_at(std::uint16_t port, NameOf name) {
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in at{}, peer{};
    socklen_t size = sizeof at, peer_size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
        name(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0 && at.sin_family == AF_INET &&
        ntohs(at.sin_port) == port)
      return fd;
  }
  return -1;
}

/// Whether the kernel acknowledges what comes next at once.
int quick_ack_of(int fd) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &value, &size);
  return value;
}

class TcpInfoTest : public testing::Test {
 protected:
  std::unique_ptr<ByteStream> open(bool quick_ack = false) {
    StreamTarget target = tcp_target(server_.port());
    target.connect.quick_ack = quick_ack;
    auto stream = open_now(loop_, target).value();
    stream->set_handler(&recorder_);
    EXPECT_TRUE(run_until(loop_, [&] { return server_.connections() == 1; }));
    return stream;
  }

  /// After a few questions and answers, which is when the kernel begins to wait with acknowledgements.
  int quick_ack_after_a_talk(ByteStream& stream) {
    for (int n = 0; n < 10; ++n) {
      recorder_.data.clear();
      EXPECT_TRUE(write_text(stream, "x"));
      EXPECT_TRUE(run_until(loop_, [&] { return recorder_.data == "x"; }));
    }
    return quick_ack_of(connected_at(server_.port(), &::getpeername));
  }

  Loop loop_;
  EchoServer server_{loop_, {}};
  Recorder recorder_;
};

TEST_F(TcpInfoTest, SegmentsAreCountedWhereThereIsTcp) {
  const auto stream = open();
  const auto before = stream->segments();
  ASSERT_TRUE(before);
  EXPECT_TRUE(write_text(*stream, "x"));
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data == "x"; }));
  EXPECT_GT(stream->segments()->sent, before->sent);
  stream->close();
  EXPECT_FALSE(stream->segments());
}

TEST_F(TcpInfoTest, AUnixSocketHasNoSegments) {
  const TempDirectory directory;
  ListenOptions options;
  options.unix_path = directory.file("socket");
  EchoServer server{loop_, options};
  StreamTarget target;
  target.unix_path = options.unix_path;
  target.connect.quick_ack = true;
  const auto stream = open_now(loop_, target).value();
  EXPECT_FALSE(stream->segments());
}

TEST_F(TcpInfoTest, WhatIsLostOnTheWayIsCountedAsSentAgain) {
  const auto stream = open();
  const int far_end = connected_at(server_.port(), &::getsockname);
  ASSERT_GE(far_end, 0);
  sock_filter nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog drop{.len = 1, .filter = &nothing};
  ASSERT_EQ(::setsockopt(far_end, SOL_SOCKET, SO_ATTACH_FILTER, &drop, sizeof drop), 0);
  EXPECT_TRUE(write_text(*stream, "lost"));
  ASSERT_TRUE(run_until(loop_, [&] { return stream->segments()->resent > 0; }));
  constexpr int unused = 0;
  EXPECT_EQ(::setsockopt(far_end, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused), 0);
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data == "lost"; }));
  EXPECT_LT(stream->segments()->resent, stream->segments()->sent);
}

TEST_F(TcpInfoTest, TheKernelWaitsWithAcknowledgementsUnlessToldOtherwise) {
  const auto stream = open();
  EXPECT_EQ(quick_ack_after_a_talk(*stream), 0);
}

TEST_F(TcpInfoTest, EachReadIsAcknowledgedAtOnceIfAskedFor) {
  const auto stream = open(true);
  EXPECT_EQ(quick_ack_after_a_talk(*stream), 1);
}

}  // namespace
}  // namespace mqtt::net::test
