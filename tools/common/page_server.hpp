#pragma once
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/net/address.hpp>
#include <mqtt/net/listener.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/util/error.hpp>

#include "common/http_page.hpp"

namespace mq {

struct PageLimits {
  std::size_t connections = 16;  ///< at once; one more is closed unheard
  /// From connecting to the response's end: who is slower is cut off.
  mqtt::Duration time = std::chrono::seconds{10};
};

/// Serves a few pages over HTTP, in a loop that has other things to do: a request per connection, of bounded
/// size, and a few connections for a short time each.
class PageServer {
 public:
  /// `failed` hears why connections cannot be accepted for now. Errors say "cannot listen on PLACE: ...".
  [[nodiscard]] static mqtt::Result<std::unique_ptr<PageServer>> open(mqtt::net::Loop& loop,
                                                                      const mqtt::net::HostPort& at,
                                                                      mqtt::net::Listener::Failed failed,
                                                                      PageLimits limits = {});
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  /// "127.0.0.1:9400", with the port that the system has chosen.
  [[nodiscard]] const std::string& place() const { return listener_->place(); }
  /// Before the loop runs: until then connections wait.
  void serve(std::vector<HttpPage> pages) { pages_ = std::move(pages); }

 private:
  class Guest;

  PageServer(mqtt::net::Loop& loop, PageLimits limits);
  void welcome(std::unique_ptr<mqtt::net::ByteStream> stream);

  mqtt::net::Loop& loop_;
  PageLimits limits_;
  std::vector<HttpPage> pages_;
  std::unique_ptr<mqtt::net::Listener> listener_;
  std::list<Guest> guests_;
};

}  // namespace mq
