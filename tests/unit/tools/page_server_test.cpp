#include "common/page_server.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include <mqtt/net/owned_fd.hpp>
#include <mqtt/util/text.hpp>
#include <unit/net/net_test.hpp>

namespace {

using namespace std::chrono_literals;
using namespace mq;
using mqtt::net::OwnedFd;
using mqtt::net::test::run_until;

constexpr std::string_view scrape_request = "GET /metrics HTTP/1.0\r\n\r\n";

struct Serving {
  mqtt::net::Loop loop;
  std::unique_ptr<PageServer> server;
  std::size_t made = 0;

  explicit Serving(PageLimits limits = {}, std::size_t size = 5) {
    server =
        PageServer::open(loop, {.host = "127.0.0.1", .port = 0}, [](const mqtt::Error&) {}, limits).value();
    server->serve({{.path = "/metrics", .content_type = "text/plain", .make = [this, size] {
                      ++made;
                      return std::string(size, 'x');
                    }}});
  }
  [[nodiscard]] std::uint16_t port() const {
    return mqtt::parse_number<std::uint16_t>(server->place().substr(server->place().rfind(':') + 1)).value();
  }
};

struct Scraper {
  OwnedFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string text;
  bool ended = false;

  explicit Scraper(const Serving& at, int receive_buffer = 0) {
    if (receive_buffer > 0)
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(at.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void say(std::string_view bytes) const {
    EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Reads what is there; true at the end, orderly or not.
  bool over() {
    std::array<char, 4096> part{};
    ssize_t size = 0;
    while ((size = ::recv(fd.get(), part.data(), part.size(), MSG_DONTWAIT)) > 0)
      text.append(part.data(), static_cast<std::size_t>(size));
    ended = size == 0;
    return ended || errno != EAGAIN;
  }
};

TEST(PageServer, AnswersARequestThatComesByteByByte) {
  Serving f;
  Scraper scraper{f};
  for (const char each : scrape_request) {
    scraper.say({&each, 1});
    mqtt::net::test::run_ready(f.loop);
  }
  ASSERT_TRUE(run_until(f.loop, [&] { return scraper.over(); }));
  EXPECT_TRUE(scraper.text.starts_with("HTTP/1.1 200 OK\r\n") && scraper.text.ends_with("\r\n\r\nxxxxx"))
      << scraper.text;
  EXPECT_TRUE(scraper.ended);
}

TEST(PageServer, AnswersWhoEndsItsDirectionAndWhoSaysMore) {
  Serving f;
  Scraper ends{f}, says_more{f};
  ends.say(scrape_request);
  ::shutdown(ends.fd.get(), SHUT_WR);
  says_more.say(std::string{scrape_request} + std::string(100'000, 'b'));
  ASSERT_TRUE(run_until(f.loop, [&] { return ends.over() && says_more.over(); }));
  for (const Scraper* each : {&ends, &says_more}) {
    EXPECT_TRUE(each->text.ends_with("\r\n\r\nxxxxx")) << each->text;
    EXPECT_TRUE(each->ended);
  }
  EXPECT_EQ(f.made, 2);
}

TEST(PageServer, ClosesWhoEndsWithoutARequest) {
  Serving f;
  Scraper scraper{f};
  scraper.say("GET /metr");
  ::shutdown(scraper.fd.get(), SHUT_WR);
  ASSERT_TRUE(run_until(f.loop, [&] { return scraper.over(); }));
  EXPECT_EQ(scraper.text, "");
}

TEST(PageServer, TakesNoMoreOfARequestThanIsAllowed) {
  Serving f;
  Scraper scraper{f};
  scraper.say(std::string(http_head_max, 'a'));
  ASSERT_TRUE(run_until(f.loop, [&] { return scraper.over(); }));
  EXPECT_TRUE(scraper.text.starts_with("HTTP/1.1 431 ")) << scraper.text;
}

TEST(PageServer, CutsOffWhoSaysNothing) {
  Serving f{{.time = 20ms}};
  Scraper scraper{f};
  ASSERT_TRUE(run_until(f.loop, [&] { return scraper.over(); }));
  EXPECT_EQ(scraper.text, "");
}

TEST(PageServer, CutsOffWhoDoesNotRead) {
  Serving f{{.time = 50ms}, 64 * 1024 * 1024};  // more than sockets hold
  Scraper scraper{f, 4096};
  scraper.say(scrape_request);
  ASSERT_TRUE(run_until(f.loop, [&] { return f.made == 1; }));
  Scraper next{f};  // accepted in the order of connecting: when it is cut off, the first one is
  ASSERT_TRUE(run_until(f.loop, [&] { return next.over(); }));
  ASSERT_TRUE(run_until(f.loop, [&] { return scraper.over(); }));
  EXPECT_LT(scraper.text.size(), 64 * 1024 * 1024);
}

TEST(PageServer, HasNoMoreConnectionsThanAreAllowed) {
  Serving f{{.connections = 2}};
  Scraper first{f}, second{f}, third{f};
  ASSERT_TRUE(run_until(f.loop, [&] { return third.over(); }));
  EXPECT_EQ(third.text, "");
  EXPECT_FALSE(first.over() || second.over());
  first.say(scrape_request);
  ASSERT_TRUE(run_until(f.loop, [&] { return first.over(); }));
  first.fd.reset();
  mqtt::net::test::run_ready(f.loop);
  Scraper fourth{f};
  fourth.say(scrape_request);
  ASSERT_TRUE(run_until(f.loop, [&] { return fourth.over(); }));
  EXPECT_TRUE(fourth.text.ends_with("xxxxx")) << "there is room again: " << fourth.text;
}

TEST(PageServer, SaysWhereItCannotListen) {
  Serving f;
  const auto second =
      PageServer::open(f.loop, {.host = "127.0.0.1", .port = f.port()}, [](const mqtt::Error&) {});
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().context.contains("cannot listen on " + f.server->place()))
      << second.error().context;
}

}  // namespace
