#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mqtt/net/address.hpp>
#include <mqtt/net/owned_fd.hpp>
#include <unit/net/certificates.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::EndsWith;
using testing::StartsWith;

/// A connection that the kernel has made and nobody has accepted yet. Not valid: refused.
OwnedFd knock(std::uint16_t port) {
  OwnedFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

/// Bound, and listening only if `backlog` says so.
OwnedFd unix_socket_at(const std::string& path, std::optional<int> backlog) {
  OwnedFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  if (backlog) {
    EXPECT_EQ(::listen(fd.get(), *backlog), 0);
  }
  return fd;
}

class ListenerTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Listener>> listen(ListenOptions options) {
    return Listener::open(
        loop_, std::move(options),
        [this](std::unique_ptr<ByteStream> stream) { accepted_.push_back(std::move(stream)); },
        [this](Error error) { failures_.push_back(std::move(error)); });
  }

  std::string refusal(ListenOptions options) {
    const auto listener = listen(std::move(options));
    return listener ? "" : listener.error().context;
  }

  Loop loop_;
  std::vector<std::unique_ptr<ByteStream>> accepted_;
  std::vector<Error> failures_;
};

TEST_F(ListenerTest, OneTurnAcceptsAFewOfAStorm) {
  const auto listener = listen({}).value();
  std::vector<OwnedFd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(knock(listener->port()));
  uv_run(loop_.handle(), UV_RUN_NOWAIT);
  EXPECT_EQ(accepted_.size(), 32u);
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == clients.size(); }));
  EXPECT_TRUE(failures_.empty());
}

TEST_F(ListenerTest, DestroyedByTheFirstOfManyItAcceptsNoMore) {
  std::unique_ptr<Listener> listener;
  int accepted = 0;
  const auto on_accepted = [&](std::unique_ptr<ByteStream>) {
    ++accepted;
    listener.reset();
  };
  listener = Listener::open(loop_, {}, on_accepted, [](const Error&) {}).value();
  const OwnedFd first = knock(listener->port()), second = knock(listener->port());
  ASSERT_TRUE(run_until(loop_, [&] { return accepted > 0; }));
  EXPECT_EQ(accepted, 1);
}

#ifdef UNDEFINED_BEHAVIOUR_SANITIZER  // from CMake
/// That one opens a pipe to see whether an object's memory can be read, and takes having none for a fault.
constexpr bool can_do_without_descriptors = false;
#else
constexpr bool can_do_without_descriptors = true;
#endif

/// Leaves the process without a descriptor, until it ends.
class Shortage {
 public:
  Shortage() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = static_cast<rlim_t>(open_one().get()) + 8;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (OwnedFd more = open_one(); more.valid(); more = open_one()) taken_.push_back(std::move(more));
  }
  ~Shortage() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;
  void leave_one() { taken_.pop_back(); }

 private:
  static OwnedFd open_one() { return OwnedFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; }
  rlimit before_{};
  std::vector<OwnedFd> taken_;
};

TEST_F(ListenerTest, RestsWithoutDescriptorsSaysSoOnceAndGoesOn) {
  if (!can_do_without_descriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const auto listener = listen({}).value();
  const OwnedFd first = knock(listener->port()), second = knock(listener->port());
  Shortage shortage;
  int turns = 0;
  const TimePoint end = loop_.refresh_now() + 700ms;  // three rests
  Timer later{loop_, [] {}};
  later.set(end);
  for (; loop_.refresh_now() < end; ++turns) uv_run(loop_.handle(), UV_RUN_ONCE);
  EXPECT_LT(turns, 30);
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_EQ(failures_[0].context, "cannot accept connections on " + listener->place() +
                                      " for now: " + std::system_category().message(EMFILE));
  shortage.leave_one();
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == 1; }));
  ASSERT_TRUE(run_until(loop_, [&] { return failures_.size() == 2; })) << "the next shortage is told again";
  accepted_.clear();
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, MayBeDestroyedWhileItRests) {
  if (!can_do_without_descriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  auto listener = listen({}).value();
  const OwnedFd client = knock(listener->port());
  {
    const Shortage shortage;
    ASSERT_TRUE(run_until(loop_, [&] { return !failures_.empty(); }));
    listener.reset();
  }
  run_ready(loop_);
  EXPECT_TRUE(accepted_.empty());
}

TEST_F(ListenerTest, BothFamiliesOnOnePort) {
  for (const auto& [v4, v6] : {std::pair{"127.0.0.1", "::1"}, {"0.0.0.0", "::"}}) {
    ListenOptions options;
    options.address = v4;
    const auto first = listen(options).value();
    options.address = v6;
    options.port = first->port();
    const auto second = listen(options);
    ASSERT_TRUE(second.has_value()) << second.error().context;
    EXPECT_EQ((*second)->port(), first->port());
    EXPECT_EQ((*second)->place(), host_and_port(v6, first->port()));
    EXPECT_EQ(first->place(), host_and_port(v4, first->port()));
  }
}

/// This process's descriptor whose other end is `client`.
int accepted_side_of(const OwnedFd& client) {
  sockaddr_in wanted{};
  socklen_t size = sizeof wanted;
  ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&wanted), &size);
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET &&
        peer.sin_port == wanted.sin_port)
      return fd;
  }
  return -1;
}

int option_of(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, option, &value, &size);
  return value;
}

TEST_F(ListenerTest, AcceptedSocketsSendAtOnceAndProbeSilentPeers) {
  const auto listener = listen({}).value();
  const OwnedFd client = knock(listener->port());
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == 1; }));
  const int fd = accepted_side_of(client);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 120);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 30);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

class UnixListenerTest : public ListenerTest {
 protected:
  ListenOptions options() {
    ListenOptions options;
    options.unix_path = path_;
    return options;
  }
  [[nodiscard]] mode_t mode() const {
    struct stat info{};
    return ::stat(path_.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
  }

  TempDirectory directory_;
  std::string path_ = directory_.file("socket");
};

TEST_F(UnixListenerTest, ModeIsAsAskedWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  auto listener = listen(options()).value();
  EXPECT_EQ(mode(), 0660u);
  listener.reset();
  EXPECT_EQ(mode(), 0u) << "the file goes away with the listener";
  ListenOptions wide = options();
  wide.unix_mode = 0666;
  listener = listen(wide).value();
  EXPECT_EQ(mode(), 0666u);
  ::umask(before);
}

TEST_F(UnixListenerTest, ReplacesWhatADeadProcessLeft) {
  unix_socket_at(path_, 5).reset();
  const auto listener = listen(options());
  ASSERT_TRUE(listener.has_value()) << listener.error().context;
  StreamTarget target;
  target.unix_path = path_;
  EXPECT_TRUE(open_now(loop_, target).has_value());
}

TEST_F(UnixListenerTest, RefusesALiveOneAndLeavesItsFile) {
  const OwnedFd live = unix_socket_at(path_, 5);
  EXPECT_EQ(refusal(options()), "cannot listen on " + path_ + ": Address already in use");
  EXPECT_NE(mode(), 0u);
}

TEST_F(UnixListenerTest, RefusesALiveOneWhoseBacklogIsFull) {
  const OwnedFd live = unix_socket_at(path_, 0);
  StreamTarget target;
  target.unix_path = path_;
  const auto queued = open_now(loop_, target);
  EXPECT_EQ(refusal(options()), "cannot listen on " + path_ + ": Address already in use");
}

TEST_F(UnixListenerTest, DoesNotTouchAnotherKindOfFile) {
  static_cast<void>(directory_.write("socket", "precious"));
  EXPECT_EQ(refusal(options()), "cannot listen on " + path_ + ": Address already in use");
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixListenerTest, DoesNotRemoveTheSocketThatTookItsName) {
  auto listener = listen(options()).value();
  std::filesystem::remove(path_);
  const OwnedFd other = unix_socket_at(path_, 5);
  listener.reset();
  EXPECT_NE(mode(), 0u);
}

TEST_F(ListenerTest, TakesOverAListeningSocket) {
  OwnedFd given{::socket(AF_INET, SOCK_STREAM, 0)};
  ASSERT_EQ(::listen(given.get(), 5), 0);  // on any port of all addresses
  ListenOptions options;
  options.fd = given.get();
  const auto listener = listen(options).value();
  EXPECT_TRUE(::fcntl(given.get(), F_GETFD) & FD_CLOEXEC);
  const OwnedFd client = knock(listener->port());
  ASSERT_TRUE(client.valid());
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == 1; }));
  EXPECT_EQ(listener->place(), host_and_port("0.0.0.0", listener->port()));
  EXPECT_EQ(option_of(accepted_side_of(client), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(given.release(), *options.fd) << "the listener closes it";
}

TEST_F(UnixListenerTest, TakesOverAUnixSocketButNotItsFile) {
  OwnedFd given = unix_socket_at(path_, 5);
  ListenOptions adopted;
  adopted.fd = given.release();
  auto listener = listen(adopted).value();
  EXPECT_EQ(listener->place(), path_);
  EXPECT_EQ(listener->port(), 0);
  StreamTarget target;
  target.unix_path = path_;
  EXPECT_TRUE(open_now(loop_, target).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == 1; }));
  EXPECT_EQ(accepted_[0]->peer(), path_);
  listener.reset();
  EXPECT_NE(mode(), 0u);
}

TEST_F(ListenerTest, RefusesDescriptorsThatDoNotListen) {
  const OwnedFd file{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const OwnedFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ListenOptions options;
  options.fd = file.get();
  EXPECT_THAT(refusal(options), EndsWith(": Socket operation on non-socket"));
  options.fd = socket.get();
  EXPECT_EQ(refusal(options),
            "cannot listen on descriptor " + std::to_string(socket.get()) + ": no listening socket");
  EXPECT_GE(::fcntl(socket.get(), F_GETFD), 0) << "what is refused stays the caller's";
}

TEST_F(ListenerTest, RenewedCertificateIsForNewConnections) {
  Authority authority;
  ListenOptions options;
  CertificateWishes wishes;
  wishes.common_name = "old";
  options.tls = TlsContext::server(server_options(authority.issue(wishes))).value();
  const auto listener = listen(options).value();
  StreamTarget target = tcp_target(listener->port());
  target.tls = TlsContext::client(client_options(authority)).value();
  const auto before = open_now(loop_, target);
  wishes.common_name = "new";
  listener->set_tls(TlsContext::server(server_options(authority.issue(wishes))).value());
  const auto after = open_now(loop_, target);
  ASSERT_TRUE(before && after);
  EXPECT_EQ((*before)->properties().peer_common_name, "old");
  EXPECT_EQ((*after)->properties().peer_common_name, "new");
}

TEST_F(ListenerTest, AnIdleTcpConnectionTakesLessThan500BytesOfHeap) {
  const auto listener = listen({}).value();
  std::vector<OwnedFd> clients;
  const auto connect_until = [&](std::size_t count) {
    while (clients.size() < count) clients.push_back(knock(listener->port()));
    return run_until(loop_, [&] { return accepted_.size() == count; });
  };
  constexpr std::size_t warm_up = 50, count = 250;
  accepted_.reserve(count);
  clients.reserve(count);
  ASSERT_TRUE(connect_until(warm_up));
  const std::size_t before = mallinfo2().uordblks;
  ASSERT_TRUE(connect_until(count));
  const std::size_t used = mallinfo2().uordblks - before;
  if (used == 0) GTEST_SKIP() << "a sanitizer's allocator does not count";
  EXPECT_LT(used / (count - warm_up), 500u);
}

}  // namespace
}  // namespace mqtt::net::test
