#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mqtt/client/client.hpp>
#include <mqtt/net/listener.hpp>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {

using namespace std::chrono_literals;
using ByteVector = std::vector<std::uint8_t>;

inline constexpr std::string_view accept_v5 = "20 03 00 00 00", accept_v5_resumed = "20 03 01 00 00",
                                  accept_v311 = "20 02 00 00";

/// A server in the same loop that answers packets by a script.
class ScriptedServer {
 public:
  /// Gets each packet of the n-th connection; what it returns is sent. nullopt closes the connection.
  using Script = std::function<std::optional<std::string>(std::size_t connection, const PacketView& packet)>;

  ScriptedServer(net::Loop& loop, Script script) : script_{std::move(script)} {
    auto opened = net::Listener::open(
        loop, {},
        [this](auto stream) {
          connections_.push_back(std::make_unique<Connection>(*this, connections_.size(), std::move(stream)));
        },
        [](Error error) { ADD_FAILURE() << error.context; });
    listener_ = std::move(*opened);
  }

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  class Connection final : net::StreamHandler {
   public:
    Connection(ScriptedServer& server, std::size_t index, std::unique_ptr<net::ByteStream> stream)
        : server_{server}, index_{index}, stream_{std::move(stream)} {
      stream_->set_handler(this);
    }

   private:
    void on_data(Bytes input) override {
      for (auto frame = framer_.next(input); frame && *frame && stream_; frame = framer_.next(input)) {
        const auto packet = decode(**frame, {version_, Sender::client});
        ASSERT_TRUE(packet) << packet.error().what;
        if (const auto* connect = std::get_if<ConnectView>(&*packet)) version_ = connect->version;
        answer(server_.script_(index_, *packet));
      }
    }
    void answer(std::optional<std::string> text) {
      if (!text) return stream_.reset();
      const ByteVector bytes = unhex(*text);
      const iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
      if (bytes.empty()) return;
      EXPECT_EQ(stream_->write({&part, 1}).value_or(0), bytes.size());
    }
    void on_writable() override {}
    void on_end() override { stream_.reset(); }
    void on_error(Error) override { stream_.reset(); }

    ScriptedServer& server_;
    std::size_t index_;
    std::unique_ptr<net::ByteStream> stream_;
    Framer framer_;
    Version version_ = Version::v5;
  };

  Script script_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

/// Runs a client until on_ended() and keeps what it was told.
class Owner final : public ClientHandler {
 public:
  explicit Owner(net::Loop& loop)
      : loop_{loop}, guard_{loop, [&] {
                              ADD_FAILURE() << "nothing ended";
                              loop.stop();
                            }} {
    guard_.set(loop.now() + 10s);
  }

  void run(ClientOptions options, std::uint16_t port) {
    options.target.hosts = {{"127.0.0.1", port}};
    options.connect.client_id = client_id;
    client_ = std::make_unique<Client>(loop_, std::move(options), *this);
    client_->start();
    loop_.run();
  }

  void leave() { client_->disconnect(); }

  std::function<void(Client&)> when_connected = [](Client& client) { client.disconnect(); };
  std::function<void(Client&)> when_lost = [](Client&) {};
  std::function<void(Client&)> when_published = [](Client& client) { client.disconnect(); };
  std::string client_id = "c";
  std::optional<Ending> ended;
  std::vector<Ending> lost;
  std::optional<Ending> session_left;
  int connected = 0;

 private:
  void on_connack(const ConnackView& connack) override {
    if (is_error(connack.reason)) return;
    ++connected;
    when_connected(*client_);
  }
  void on_message(const PublishView&, AckToken) override {}
  void on_published(PacketId, ReasonCode, PropertiesView) override { when_published(*client_); }
  void on_lost(const Ending& ending, Duration) override {
    lost.push_back(ending);
    when_lost(*client_);
  }
  void on_session_left(const Ending& ending) override { session_left = ending; }
  void on_ended(const Ending& ending) override {
    ended = ending;
    guard_.cancel();
    loop_.stop();
  }

  net::Loop& loop_;
  net::Timer guard_;
  std::unique_ptr<Client> client_;
};

template <class Packet>
bool is(const PacketView& packet) {
  return std::holds_alternative<Packet>(packet);
}

inline ClientOptions retrying() {
  ClientOptions options;
  options.reconnect = {.enabled = true, .retry_max = 5, .min = 1ms, .max = 2ms};
  return options;
}

}  // namespace mqtt::test
