#include <mqtt/net/client_hello.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/net/pass_through.hpp>

namespace mqtt::net {
namespace {

constexpr std::uint8_t handshake_record = 22, client_hello_message = 1;
constexpr std::size_t record_header = 5, message_header = 4;
constexpr std::uint16_t server_name_extension = 0, alpn_extension = 16;
/// Real ones have at most a few thousand bytes.
constexpr std::size_t hello_max_bytes = 64 * 1024;

/// Reads fields from the front; once it has read beyond the end all is empty.
class Fields {
 public:
  explicit Fields(Bytes bytes) : rest_{bytes} {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (const std::uint8_t byte : take(bytes)) value = value << 8 | byte;
    return value;
  }
  Bytes take(std::size_t size) {
    if (size > rest_.size()) return std::exchange(rest_, {}).first(0);
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  /// What a length of so many bytes stands before.
  Bytes vector(std::size_t length_bytes) { return take(number(length_bytes)); }

 private:
  Bytes rest_;
};

/// The handshake's bytes without the records around them, as far as they have come; nothing if it is no TLS.
std::optional<std::string> handshake_of(Bytes received) {
  std::string message;
  while (!received.empty()) {
    if (received[0] != handshake_record || message.size() > hello_max_bytes) return std::nullopt;
    if (received.size() < record_header) break;
    Fields header{received.subspan(3, 2)};
    const std::size_t size = header.number(2);
    if (size == 0) return std::nullopt;
    const Bytes body = received.subspan(record_header);
    message += as_text(body.first(std::min(size, body.size())));
    received = body.subspan(std::min(size, body.size()));
  }
  return message;
}

std::string first_host_name(Bytes extension) {
  Fields list{Fields{extension}.vector(2)};
  while (!list.empty()) {
    const bool is_host = list.number(1) == 0;
    const Bytes name = list.vector(2);
    if (is_host) return to_string(name);
  }
  return {};
}

std::vector<std::string> protocol_names(Bytes extension) {
  std::vector<std::string> names;
  Fields list{Fields{extension}.vector(2)};
  while (!list.empty())
    if (const Bytes name = list.vector(1); !name.empty()) names.push_back(to_string(name));
  return names;
}

ClientHello read_body(Bytes body) {
  ClientHello hello;
  Fields fields{body};
  (void)fields.take(2 + 32);  // version and random
  (void)fields.vector(1);     // session id
  (void)fields.vector(2);     // cipher suites
  (void)fields.vector(1);     // compression methods
  Fields extensions{fields.vector(2)};
  while (!extensions.empty()) {
    const std::size_t type = extensions.number(2);
    const Bytes extension = extensions.vector(2);
    if (type == server_name_extension) hello.server_name = first_host_name(extension);
    if (type == alpn_extension) hello.alpn = protocol_names(extension);
  }
  return hello;
}

class HelloReader final : public PassThroughStream {
 public:
  using Read = std::function<void(Result<ClientHello>)>;

  HelloReader(Loop& loop, std::unique_ptr<ByteStream> below, Read read)
      : PassThroughStream{loop, std::move(below), [this](Result<void> opened) { tell(std::move(opened)); }},
        read_{std::move(read)} {
    attach();
  }

 private:
  bool shake_hands() override {
    auto hello = read_client_hello(intake().front());
    if (!hello) return false;
    hello_ = std::move(*hello);
    return succeeded();
  }

  [[nodiscard]] Error cut_short() const override {
    return {ErrorDomain::tls, 0, fmt::format("{} closed the connection before its TLS handshake", peer())};
  }

  /// May destroy this object.
  void tell(Result<void> opened) {
    const Read read = std::move(read_);
    if (!opened) return read(std::unexpected(std::move(opened.error())));
    read(std::move(hello_));
  }

  Read read_;
  ClientHello hello_;
};

}  // namespace

std::optional<ClientHello> read_client_hello(Bytes received) {
  const auto message = handshake_of(received);
  if (!message) return ClientHello{};
  Fields fields{as_bytes(*message)};
  if (!message->empty() && static_cast<std::uint8_t>(message->front()) != client_hello_message)
    return ClientHello{};
  if (message->size() < message_header) return std::nullopt;
  (void)fields.number(1);
  const std::size_t size = fields.number(3);
  if (size > hello_max_bytes) return ClientHello{};
  if (message->size() - message_header < size) return std::nullopt;
  return read_body(fields.take(size));
}

std::unique_ptr<ByteStream> make_hello_reader(Loop& loop, std::unique_ptr<ByteStream> inner,
                                              std::function<void(Result<ClientHello>)> opened) {
  return std::make_unique<HelloReader>(loop, std::move(inner), std::move(opened));
}

}  // namespace mqtt::net
