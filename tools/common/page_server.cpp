#include "common/page_server.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace mq {

/// One request, and its response. It ends itself.
class PageServer::Guest final : private mqtt::net::StreamHandler {
 public:
  Guest(PageServer& server, std::unique_ptr<mqtt::net::ByteStream> stream)
      : server_{server}, stream_{std::move(stream)}, time_up_{server.loop_, [this] { end(); }} {
    time_up_.set(server.loop_.now() + server.limits_.time);
    stream_->set_handler(this);
  }

  void set_place(std::list<Guest>::iterator place) { place_ = place; }

 private:
  void on_data(mqtt::Bytes bytes) override;
  void on_writable() override { flush(); }
  void on_end() override;
  void on_error(mqtt::Error /*error*/) override { end(); }
  void flush();
  void end() { server_.guests_.erase(place_); }

  PageServer& server_;
  std::unique_ptr<mqtt::net::ByteStream> stream_;
  mqtt::net::Timer time_up_;
  std::list<Guest>::iterator place_;
  std::string request_;
  std::string response_;  // what has not left yet
  bool answered_ = false;
  bool peer_ended_ = false;
};

/// What follows the request's head is read, for unread bytes would make the end a reset, and left alone.
void PageServer::Guest::on_data(mqtt::Bytes bytes) {
  if (answered_) return;
  const std::size_t room = http_head_max - request_.size();
  request_.append(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), room));
  const std::size_t empty_line = request_.find("\r\n\r\n");
  if (empty_line == request_.npos && request_.size() < http_head_max) return;
  answered_ = true;
  response_ = answer_to(
      std::string_view{request_}.substr(0, empty_line == request_.npos ? empty_line : empty_line + 4),
      server_.pages_);
  flush();
}

/// Who asks and ends its direction still gets the answer.
void PageServer::Guest::on_end() {
  peer_ended_ = true;
  if (!answered_ || response_.empty()) end();
}

void PageServer::Guest::flush() {
  const std::array part{iovec{response_.data(), response_.size()}};
  const auto taken = stream_->write(part);
  if (!taken) return end();
  response_.erase(0, *taken);
  if (!response_.empty()) return;  // on_writable() follows
  if (peer_ended_) return end();
  stream_->shutdown();
}

PageServer::PageServer(mqtt::net::Loop& loop, PageLimits limits) : loop_{loop}, limits_{limits} {}
PageServer::~PageServer() = default;

mqtt::Result<std::unique_ptr<PageServer>> PageServer::open(mqtt::net::Loop& loop,
                                                           const mqtt::net::HostPort& at,
                                                           mqtt::net::Listener::Failed failed,
                                                           PageLimits limits) {
  std::unique_ptr<PageServer> server{new PageServer{loop, limits}};
  mqtt::net::ListenOptions options;
  options.address = at.host;
  options.port = at.port;
  auto listener = mqtt::net::Listener::open(
      loop, std::move(options),
      [made = server.get()](std::unique_ptr<mqtt::net::ByteStream> stream) {
        made->welcome(std::move(stream));
      },
      std::move(failed));
  if (!listener) return std::unexpected(std::move(listener.error()));
  server->listener_ = std::move(*listener);
  return server;
}

void PageServer::welcome(std::unique_ptr<mqtt::net::ByteStream> stream) {
  if (guests_.size() >= limits_.connections) return;
  guests_.emplace_back(*this, std::move(stream)).set_place(std::prev(guests_.end()));
}

}  // namespace mq
