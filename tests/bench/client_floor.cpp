// bench_client_floor PORT PUBLISHERS SUBSCRIBERS WINDOW SECONDS THREADS: what the kernel takes of the least
// client for the traffic of mqbench's closed loop, with the same broker at the other end. Each publisher
// keeps WINDOW messages of QoS 1 on their way (100 bytes of payload), all on one topic if there are
// subscribers, who get them at QoS 0. A wake-up by epoll, a read, and for a publisher a write of as many
// messages as were acknowledged in that read: nothing is decoded but the lengths of packets, nothing is
// checked or measured. CPU-seconds per million messages, those sent and those received counted, by the clocks
// of the threads.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/floor.hpp"

namespace {

using namespace mqtt::bench;
using namespace std::string_literals;

constexpr std::size_t payload_bytes = 100;
constexpr std::uint8_t puback = 4, publish = 3;

/// Counts packets in a stream that may be cut anywhere. None here is as long as to have a second byte of
/// length.
class PacketCount {
 public:
  std::size_t operator()(std::span<const std::uint8_t> bytes, std::uint8_t type) {
    std::size_t found = 0;
    while (!bytes.empty()) {
      if (left_ > 0) {
        const std::size_t here = std::min(left_, bytes.size());
        left_ -= here;
        bytes = bytes.subspan(here);
      } else if (!in_head_) {
        found += bytes[0] >> 4 == type;
        in_head_ = true;
        bytes = bytes.subspan(1);
      } else {
        if (bytes[0] > 127) give_up("a packet of more than 127 bytes");
        left_ = bytes[0];
        in_head_ = false;
        bytes = bytes.subspan(1);
      }
    }
    return found;
  }

 private:
  std::size_t left_ = 0;
  bool in_head_ = false;
};

struct Load {
  std::uint16_t port;
  std::size_t publishers;
  std::size_t subscribers;
  std::size_t window;
  std::int64_t length_ns;
  std::size_t threads;
};

std::string text(std::string_view characters) {
  return std::string{static_cast<char>(characters.size() >> 8), static_cast<char>(characters.size() & 255)}
      .append(characters);
}

std::string packet(char head, const std::string& body) {
  return std::string{head, static_cast<char>(body.size())} + body;
}

std::string publish_qos1(const std::string& topic) {
  return packet('\x32', text(topic) + "\0\0\0"s + std::string(payload_bytes, 'x'));  // id, no properties
}

class Client {
 public:
  /// Connected, and subscribed to `filter` if there is one.
  Client(const Load& load, const std::string& id, const std::string& topic, bool subscribes)
      : subscribes_{subscribes} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(load.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = connect_to(address);
    exchange(packet('\x10', text("MQTT") + "\x05\x02\0\0\0"s + text(id)), 2);
    if (subscribes) exchange(packet('\x82', "\0\1\0"s + text(topic) + "\0"s), 9);
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    message_ = publish_qos1(topic);
    id_at_ = 4 + topic.size();
  }

  [[nodiscard]] int fd() const { return fd_; }

  void send(std::size_t count) {
    std::string batch;
    for (std::size_t n = 0; n < count; ++n) {
      next_id_ = next_id_ == 65'535 ? 1 : next_id_ + 1;
      message_[id_at_] = static_cast<char>(next_id_ >> 8);
      message_[id_at_ + 1] = static_cast<char>(next_id_ & 255);
      batch += message_;
    }
    if (write(fd_, batch.data(), batch.size()) != static_cast<ssize_t>(batch.size())) give_up("write");
  }

  /// How many messages have come, or have been acknowledged and followed by as many.
  std::size_t on_readable() {
    static thread_local std::array<std::uint8_t, 65'536> buffer;
    const ssize_t size = read(fd_, buffer.data(), buffer.size());
    if (size <= 0) give_up("read");
    const std::size_t count =
        count_(std::span{buffer}.first(static_cast<std::size_t>(size)), subscribes_ ? publish : puback);
    if (!subscribes_ && count > 0) send(count);
    return count;
  }

 private:
  /// Sends a packet, and waits for the one that answers it.
  void exchange(const std::string& question, std::uint8_t answer) {
    if (write(fd_, question.data(), question.size()) != static_cast<ssize_t>(question.size()))
      give_up("write");
    std::array<std::uint8_t, 512> buffer;
    for (std::size_t count = 0; count == 0;) {
      const ssize_t size = read(fd_, buffer.data(), buffer.size());
      if (size <= 0) give_up("the broker has hung up");
      count = count_(std::span{buffer}.first(static_cast<std::size_t>(size)), answer);
    }
  }

  int fd_ = -1;
  bool subscribes_;
  PacketCount count_;
  std::string message_;
  std::size_t id_at_ = 0;
  unsigned next_id_ = 0;
};

std::vector<Client> connect_all(const Load& load) {
  std::vector<Client> clients;
  const auto topic = [&](std::size_t n) {
    return "mqbench/floor/" + std::to_string(100 + (load.subscribers > 0 ? 0 : n));
  };
  for (std::size_t n = 0; n < load.subscribers; ++n)
    clients.emplace_back(load, "floor-s" + std::to_string(n), topic(0), true);
  for (std::size_t n = 0; n < load.publishers; ++n)
    clients.emplace_back(load, "floor-p" + std::to_string(n), topic(n), false);
  return clients;
}

/// One thread's clients, every `threads`-th.
std::uint64_t work(const Load& load, std::vector<Client>& clients, std::size_t thread) {
  const std::int64_t end = clock_ns(CLOCK_MONOTONIC) + load.length_ns;
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t n = thread; n < clients.size(); n += load.threads) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &clients[n]}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, clients[n].fd(), &event) != 0) give_up("epoll_ctl");
    if (n >= load.subscribers) clients[n].send(load.window);
  }
  std::uint64_t messages = 0;
  std::array<epoll_event, 1024> events;
  while (clock_ns(CLOCK_MONOTONIC) < end) {
    const int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 100);
    for (int n = 0; n < count; ++n)
      messages += static_cast<Client*>(events[static_cast<std::size_t>(n)].data.ptr)->on_readable();
  }
  return messages;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7)
    return std::fputs("usage: bench_client_floor PORT PUBLISHERS SUBSCRIBERS WINDOW SECONDS THREADS\n",
                      stderr),
           2;
  const auto number = [&](int n) { return std::strtoul(argv[n], nullptr, 10); };
  const Load load{.port = static_cast<std::uint16_t>(number(1)),
                  .publishers = number(2),
                  .subscribers = number(3),
                  .window = number(4),
                  .length_ns = static_cast<std::int64_t>(number(5)) * second_ns,
                  .threads = number(6)};
  if (load.port == 0 || load.publishers == 0 || load.window == 0 || load.length_ns <= 0 || load.threads == 0)
    return std::fputs("each but SUBSCRIBERS is at least 1\n", stderr), 2;
  raise_descriptors();
  std::vector<Client> clients = connect_all(load);
  std::printf("%.3f\n",
              measure(load.threads, [&](std::size_t thread) { return work(load, clients, thread); }));
}
