#include <mqtt/client/session_end.hpp>

#include <algorithm>
#include <utility>

namespace mqtt {
namespace {

ClientOptions visit(const ClientOptions& options) {
  ClientOptions once = options;
  once.connect.clean_start = true;
  once.connect.will.reset();
  once.version_fallback = false;
  once.connect_timeout = std::min(options.connect_timeout, SessionEnd::connect_timeout);
  once.reconnect = {};
  once.own_session = false;
  return once;
}

}  // namespace

SessionEnd::SessionEnd(net::Loop& loop, const ClientOptions& options, std::function<void(const Ending&)> done)
    : done_{std::move(done)}, client_{loop, visit(options), *this} {
  client_.start();
}

void SessionEnd::on_connack(const ConnackView& connack) {
  if (!is_error(connack.reason)) client_.disconnect();
}

}  // namespace mqtt
