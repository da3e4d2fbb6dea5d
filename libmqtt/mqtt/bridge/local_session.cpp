#include <mqtt/bridge/local_session.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include <mqtt/codec/encode.hpp>
#include <mqtt/net/stream_pair.hpp>

namespace mqtt::bridge {
namespace {

/// What changes nothing must not happen at each of many attempts to connect: it is a transaction.
constexpr std::chrono::seconds refreshed_at_most_every{3600};

ConnectOptions connect_options(const std::string& client_id, std::uint16_t receive_maximum) {
  ConnectOptions connect;
  connect.client_id = client_id;
  connect.clean_start = false;
  connect.keep_alive = 0;  // it cannot go away without both of us knowing
  connect.properties.add(PropertyId::session_expiry_interval, session_never_expires);
  connect.properties.add(PropertyId::receive_maximum, receive_maximum);
  return connect;
}

void write(OutBuffer& out, const PacketView& packet) { (void)encode(out, packet, Version::v5); }

std::string text_of(OutBuffer& out) {
  std::string text;
  for (std::array<iovec, 1> part; out.gather(part) > 0; out.consume(part[0].iov_len))
    text.append(static_cast<const char*>(part[0].iov_base), part[0].iov_len);
  return text;
}

}  // namespace

LocalSession::LocalSession(net::Loop& loop, server::Server& server, const std::string& name,
                           const TopicRules& rules)
    : loop_{loop}, server_{server}, id_{std::string{local_id_prefix} + name}, rules_{rules} {}

broker::ConnectionInfo LocalSession::info() const {
  return {.address = id_, .listener = std::string{inner_listener}, .certificate_common_name = {}};
}

bool LocalSession::add_subscriptions(SubscriptionList& list, RetainHandling retained) const {
  bool any = false;
  for (const TopicRule& rule : rules_.all()) {
    if (!rule.goes_out()) continue;
    // No Local: what came over the bridge does not go back.
    list.add(rule.local_filter(), {rule.qos, true, true, retained});
    any = true;
  }
  return any;
}

void LocalSession::keep() {
  kept_at_ = loop_.now();
  OutBuffer out{loop_.chunks()};
  // One message at most is on its way to nobody.
  const ConnectOptions options = connect_options(id_, 1);
  ConnectView connect;
  connect.client_id = id_;
  connect.clean_start = false;
  connect.properties = options.properties;
  write(out, connect);
  FilterList old;
  bool any_old = false;
  for (const std::string& filter : server_.broker().filters_of(id_)) {
    const auto is_it = [&](const TopicRule& rule) {
      return rule.goes_out() && rule.local_filter() == filter;
    };
    if (std::ranges::any_of(rules_.all(), is_it)) continue;
    old.add(filter);
    any_old = true;
  }
  if (any_old) write(out, UnsubscribeView{1, {}, old.view()});
  SubscriptionList wanted;
  // Retained messages are for whom they can reach.
  if (add_subscriptions(wanted, RetainHandling::do_not_send)) write(out, SubscribeView{2, {}, wanted.view()});
  server_.hear(info(), as_bytes(text_of(out)));
}

void LocalSession::refresh() {
  const std::chrono::seconds life{server_.broker().config().limits.session_expiry_maximum};
  if (loop_.now() - kept_at_ >= std::min(life / 2, refreshed_at_most_every)) keep();
}

ClientOptions LocalSession::options(std::uint16_t receive_maximum) const {
  ClientOptions options;
  options.source = [this] { return connect(); };
  options.connect = connect_options(id_, receive_maximum);
  options.session.ack_mode = AckMode::relayed;
  return options;
}

Result<std::unique_ptr<net::ByteStream>> LocalSession::connect() const {
  auto pair = net::make_stream_pair(loop_, id_);
  if (!pair) return std::unexpected(std::move(pair.error()));
  server_.adopt(std::move(pair->other), info());
  return std::move(pair->one);
}

void LocalSession::forget_received() { server_.broker().forget_received(loop_.now(), id_); }

}  // namespace mqtt::bridge
