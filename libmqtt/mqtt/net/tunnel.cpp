#include <mqtt/net/tunnel.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <utility>
#include <variant>

#include <mqtt/net/http_connect.hpp>
#include <mqtt/net/pass_through.hpp>
#include <mqtt/net/race.hpp>
#include <mqtt/net/resolver.hpp>
#include <mqtt/net/socks.hpp>
#include <mqtt/net/time_limit.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

using Dialog = std::variant<SocksDialog, HttpConnectDialog>;

Dialog make_dialog(const ProxyServer& proxy, const HostPort& destination) {
  if (proxy.kind == ProxyKind::http) return HttpConnectDialog{proxy, destination};
  return SocksDialog{proxy, destination};
}

std::string name_of(const ProxyServer& proxy) {
  return "proxy " + escape_for_terminal(host_and_port(proxy.address.host, proxy.address.port));
}

class TunnelStream final : public PassThroughStream {
 public:
  TunnelStream(Loop& loop, std::unique_ptr<ByteStream> below, const ProxyServer& proxy,
               const HostPort& destination, Opened opened)
      : PassThroughStream{loop, std::move(below), std::move(opened)},
        dialog_{make_dialog(proxy, destination)},
        proxy_name_{name_of(proxy)},
        destination_{host_and_port(destination.host, destination.port)},
        begin_{loop, [this] { begin(); }} {
    begin_.request();
  }

  std::string peer() const override { return fmt::format("{} through {}", destination_, proxy_name_); }
  void close() override {
    begin_.cancel();
    PassThroughStream::close();
  }

 private:
  void begin();
  void send(std::string_view text);
  bool shake_hands() override;
  Error cut_short() const override {
    return {ErrorDomain::proxy, ECONNRESET, proxy_name_ + " closed the connection without an answer"};
  }
  [[nodiscard]] Error named(Error error) const {
    error.context = fmt::format("{} {}", proxy_name_, error.context);
    return error;
  }

  Dialog dialog_;
  std::string proxy_name_;
  std::string destination_;
  TurnEnd begin_;
};

void TunnelStream::begin() {
  auto first = std::visit([](const auto& dialog) { return dialog.begin(); }, dialog_);
  if (!first) return fail_with(named(std::move(first.error())));
  send(*first);
  attach();
}

void TunnelStream::send(std::string_view text) {
  output().append_copy(as_bytes(text));
  flush();
}

bool TunnelStream::shake_hands() {
  for (;;) {
    auto step = std::visit([&](auto& dialog) { return dialog.receive(intake().front()); }, dialog_);
    if (!step) {
      fail_with(named(std::move(step.error())));
      return false;
    }
    if (step->used == 0) return false;
    intake().skip(step->used);
    if (step->open) return succeeded();
    if (!step->reply.empty()) send(step->reply);
  }
}

}  // namespace

std::unique_ptr<ByteStream> make_tunnel_client(Loop& loop, std::unique_ptr<ByteStream> inner,
                                               const ProxyServer& proxy, const HostPort& destination,
                                               Opened opened) {
  return std::make_unique<TunnelStream>(loop, std::move(inner), proxy, destination, std::move(opened));
}

struct Tunnel::State {
  Loop& loop;
  ProxyServer proxy;
  ConnectOptions options;  // for the way to the proxy
  Callback done;
  std::vector<HostPort> destinations{};  // as the proxy is told
  std::size_t index = 0;
  std::unique_ptr<Lookup> lookup{};
  std::unique_ptr<Connector> connector{};
  std::unique_ptr<ByteStream> stream{};

  void look_up(const HostPort& destination);
  void connect();
  void on_connected(Result<Connected> connected);
  void on_opened(Result<void> opened);
  void finish(Result<std::unique_ptr<ByteStream>> result);
  [[nodiscard]] Error unreachable(Error error) const;
};

void Tunnel::State::look_up(const HostPort& destination) {
  lookup = std::make_unique<Lookup>(
      loop, destination.host, destination.port, options.family,
      [this](Result<std::vector<SocketAddress>> addresses) {
        lookup.reset();
        if (!addresses) return finish(std::unexpected(std::move(addresses.error())));
        for (const SocketAddress& address : interleave_families(*addresses))
          destinations.push_back({address.host_text(), address.port()});
        connect();
      },
      options.overrides);
}

void Tunnel::State::connect() {
  connector = std::make_unique<Connector>(loop, std::vector{proxy.address}, options,
                                          [this](auto connected) { on_connected(std::move(connected)); });
}

void Tunnel::State::on_connected(Result<Connected> connected) {
  connector.reset();
  if (!connected) return finish(std::unexpected(unreachable(std::move(connected.error()))));
  stream = make_tunnel_client(loop, std::move(connected->stream), proxy, destinations[index],
                              [this](Result<void> opened) { on_opened(std::move(opened)); });
}

void Tunnel::State::on_opened(Result<void> opened) {
  if (opened) return finish(std::move(stream));
  stream.reset();
  Error error = std::move(opened.error());
  if (error.domain != ErrorDomain::proxy)
    error = {ErrorDomain::proxy, error.code, fmt::format("{}: {}", name_of(proxy), error.context)};
  const bool other_address_may_do = error.code != EACCES && error.code != EPROTO;
  if (other_address_may_do && ++index < destinations.size()) return connect();
  finish(std::unexpected(std::move(error)));
}

void Tunnel::State::finish(Result<std::unique_ptr<ByteStream>> result) {
  const auto call = std::move(done);
  call(std::move(result));
}

Error Tunnel::State::unreachable(Error error) const {
  const bool has_errno = error.domain == ErrorDomain::system;
  return {ErrorDomain::proxy, has_errno ? error.code : EHOSTUNREACH,
          fmt::format("cannot reach {}: {}", name_of(proxy), error.context)};
}

Tunnel::Tunnel(Loop& loop, HostPort destination, ConnectOptions options, Callback done)
    : state_{std::make_unique<State>(loop, *options.proxy, std::move(options), std::move(done))} {
  state_->options.proxy.reset();
  state_->options.deadline.reset();
  if (state_->proxy.kind == ProxyKind::socks5) {
    state_->look_up(destination);
    return;
  }
  state_->destinations = {std::move(destination)};
  state_->connect();
}

Tunnel::~Tunnel() = default;

Error Tunnel::timeout(Duration limit) const {
  if (state_->lookup) return timeout_error("no address for the host", limit);
  return {ErrorDomain::proxy, ETIMEDOUT,
          timeout_error("no answer from " + name_of(state_->proxy), limit).context};
}

}  // namespace mqtt::net
