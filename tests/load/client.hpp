#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include <mqtt/codec/framer.hpp>
#include <mqtt/codec/types.hpp>

#include "args.hpp"
#include "loop.hpp"

namespace load {

/// Where the broker is and how to speak to it.
struct Target {
  std::string host;
  std::uint16_t port = 0;
  mqtt::Version version = mqtt::Version::v5;
  unsigned sources = 1;  ///< connections come from 127.0.0.1 to 127.0.0.N in turns
  std::shared_ptr<SSL_CTX> tls;

  /// From --host, --port, --version, --sources and --cafile. A CA file that cannot be read ends the program.
  [[nodiscard]] static Target from(const Args& args);
};

/// What happens to a client.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_packet(const mqtt::Frame& frame) = 0;
  /// All that was queued has been written.
  virtual void on_drained() {}
  /// The peer, or an error, has ended the connection. Not called for close().
  virtual void on_closed() = 0;
};

enum class Closing { graceful, reset };

/// One connection: bytes go out, whole packets come in. Knows no MQTT beyond the frame.
class Client {
 public:
  Client(Loop& loop, Handler& handler) : loop_{loop}, handler_{handler} {}
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Starts to connect; with TLS, it blocks until the handshake is done. False: no connection.
  [[nodiscard]] bool open(const Target& target, unsigned number);
  void close(Closing how = Closing::graceful);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  void send(std::string_view bytes);
  /// For appending in place; follow with send({}).
  [[nodiscard]] std::string& out() { return out_; }
  [[nodiscard]] std::size_t unsent() const { return out_.size() - written_; }

  /// Nothing is read until start_reading(); the kernel's buffer, which does not grow for who does not read,
  /// fills.
  void stop_reading();
  void start_reading();

 private:
  friend class Loop;
  void ready(std::uint32_t events);
  void flush();
  void read();
  void take(mqtt::Bytes bytes);
  void watch();
  void lose();
  [[nodiscard]] bool handshake(SSL_CTX& context);
  [[nodiscard]] ssize_t write_some();
  [[nodiscard]] ssize_t read_some();

  Loop& loop_;
  Handler& handler_;
  int fd_ = -1;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, SSL_free};
  mqtt::Framer framer_;
  std::string out_;
  std::size_t written_ = 0;
  bool queued_ = false;   // in the loop's list
  bool blocked_ = false;  // the kernel took no more
  bool waiting_ = false;  // for room: EPOLLOUT is asked for
  bool reading_ = true;
};

}  // namespace load
