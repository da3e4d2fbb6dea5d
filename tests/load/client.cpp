#include "client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace load {
namespace {

constexpr std::size_t kept_capacity_bytes = 256 * 1024;

sockaddr_in address(const std::string& host, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &at.sin_addr);
  return at;
}

void option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

bool connect_to(int fd, const sockaddr_in& to) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS;
}

void bind_source(int fd, unsigned number) {
  option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // a port may serve once per source and destination
  const auto from = address(fmt::format("127.0.0.{}", number + 1), 0);
  (void)::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from);  // else: the default source
}

void set_nonblocking(int fd, int on) { ioctl(fd, FIONBIO, &on); }

}  // namespace

Target Target::from(const Args& args) {
  Target target;
  target.host = args.text("host");
  target.port = static_cast<std::uint16_t>(args.number("port"));
  target.version = static_cast<mqtt::Version>(args.number("version"));
  target.sources = static_cast<unsigned>(args.number("sources"));
  if (const std::string& cafile = args.text("cafile"); !cafile.empty()) {
    target.tls = {SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    SSL_CTX_set_mode(target.tls.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_mode(target.tls.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(target.tls.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_locations(target.tls.get(), cafile.c_str(), nullptr) != 1) {
      fmt::print(stderr, "mqload: cannot read {}\n", cafile);
      std::exit(2);
    }
  }
  return target;
}

bool Client::open(const Target& target, unsigned number) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  if (target.sources > 1) bind_source(fd_, number % target.sources);
  set_nonblocking(fd_, target.tls ? 0 : 1);
  framer_.reset();
  out_.clear();
  written_ = 0;
  reading_ = true;
  const bool connected =
      connect_to(fd_, address(target.host, target.port)) && (!target.tls || handshake(*target.tls));
  if (!connected) {
    close();
    return false;
  }
  set_nonblocking(fd_, 1);
  blocked_ = waiting_ = true;  // until the connection is there
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.ptr = this;
  epoll_ctl(loop_.poller(), EPOLL_CTL_ADD, fd_, &event);
  return true;
}

bool Client::handshake(SSL_CTX& context) {
  tls_.reset(SSL_new(&context));
  SSL_set_fd(tls_.get(), fd_);
  return SSL_connect(tls_.get()) == 1;
}

void Client::close(Closing how) {
  if (queued_) loop_.forget(*this);
  queued_ = false;
  if (fd_ < 0) return;
  if (how == Closing::reset) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else if (!blocked_ && unsent() > 0) {
    (void)write_some();  // a DISCONNECT
  }
  tls_.reset();
  ::close(fd_);
  fd_ = -1;
}

void Client::lose() {
  close();
  handler_.on_closed();
}

void Client::send(std::string_view bytes) {
  if (fd_ < 0) return;
  out_ += bytes;
  if (queued_ || blocked_) return;
  queued_ = true;
  loop_.queue_flush(*this);
}

void Client::ready(std::uint32_t events) {
  if (fd_ < 0) return;  // an earlier event of this turn has closed it
  if ((events & EPOLLOUT) != 0) {
    blocked_ = false;
    flush();
  }
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void Client::flush() {
  queued_ = false;
  while (fd_ >= 0 && unsent() > 0) {
    const ssize_t count = write_some();
    if (count < 0 && errno != EAGAIN && errno != EINTR) return lose();
    blocked_ = count < 0;
    if (blocked_) break;
    written_ += static_cast<std::size_t>(count);
  }
  if (fd_ < 0) return;
  if (unsent() == 0) {
    out_.clear();
    if (out_.capacity() > kept_capacity_bytes) out_.shrink_to_fit();
    written_ = 0;
  }
  if (blocked_ != waiting_) watch();
  if (unsent() == 0) handler_.on_drained();
}

ssize_t Client::write_some() {
  if (!tls_) return ::send(fd_, out_.data() + written_, unsent(), MSG_NOSIGNAL);
  ERR_clear_error();
  const int count = SSL_write(tls_.get(), out_.data() + written_, static_cast<int>(unsent()));
  if (count <= 0) errno = SSL_get_error(tls_.get(), count) == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
  return count > 0 ? count : -1;
}

ssize_t Client::read_some() {
  const mqtt::MutableBytes into = loop_.buffer();
  if (!tls_) return ::recv(fd_, into.data(), into.size(), 0);
  ERR_clear_error();
  const int count = SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()));
  if (count > 0) return count;
  errno = EAGAIN;
  return SSL_get_error(tls_.get(), count) == SSL_ERROR_WANT_READ ? -1 : 0;
}

void Client::read() {
  do {
    const ssize_t count = read_some();
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return lose();
    take(loop_.buffer().first(static_cast<std::size_t>(count)));
  } while (fd_ >= 0 && tls_ && SSL_pending(tls_.get()) > 0);
}

void Client::take(mqtt::Bytes bytes) {
  while (fd_ >= 0) {
    const auto frame = framer_.next(bytes);
    if (!frame) return lose();
    if (!*frame) return;
    handler_.on_packet(**frame);
  }
}

void Client::watch() {
  waiting_ = blocked_;
  epoll_event event{};
  event.events = (reading_ ? EPOLLIN : 0U) | (blocked_ ? EPOLLOUT : 0U);
  event.data.ptr = this;
  epoll_ctl(loop_.poller(), EPOLL_CTL_MOD, fd_, &event);
}

void Client::stop_reading() {
  reading_ = false;
  watch();
}

void Client::start_reading() {
  if (fd_ < 0) return;
  reading_ = true;
  watch();
}

}  // namespace load
