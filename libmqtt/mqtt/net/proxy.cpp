#include <mqtt/net/proxy.hpp>

#include <cerrno>
#include <utility>

#include <mqtt/net/filter_stream.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/net/proxy_header.hpp>

namespace mqtt::net {
namespace {

class ProxiedStream final : public FilterStream {
 public:
  ProxiedStream(Loop& loop, std::unique_ptr<ByteStream> below, Opened opened)
      : FilterStream{loop, std::move(below), std::move(opened)} {
    attach();
  }

  Result<std::size_t> write(std::span<const iovec> parts) override;
  void shutdown() override { end_output(); }
  std::string peer() const override { return source_ ? source_->text() : inner().peer(); }
  StreamProperties properties() const override { return inner().properties(); }

 private:
  void process() override;
  void on_input_end() override;

  [[nodiscard]] bool read_header();

  std::optional<SocketAddress> source_;
};

/// True if it is over and this object still exists.
bool ProxiedStream::read_header() {
  auto header = parse_proxy_header(intake().front());
  if (!header) {
    fail_with(std::move(header.error()));
    return false;
  }
  if (!*header) return false;
  source_ = (*header)->source;
  intake().skip((*header)->size);
  const Lifetime::Watch watch{lifetime()};
  succeed();
  return !watch.ended();
}

void ProxiedStream::process() {
  if (phase() == Phase::handshake && !read_header()) return;
  const Lifetime::Watch watch{lifetime()};
  while (wants_data() && !intake().empty()) {
    const Bytes bytes = intake().front();
    deliver(bytes);
    if (watch.ended()) return;
    intake().skip(bytes.size());
  }
}

void ProxiedStream::on_input_end() {
  if (phase() == Phase::open) return deliver_end();
  fail_with({ErrorDomain::system, EPROTO, "closed before its PROXY protocol header was complete"});
}

/// Nothing to add to the octets, and so no need to hold them.
Result<std::size_t> ProxiedStream::write(std::span<const iovec> parts) {
  if (auto fault = write_fault()) return std::unexpected(std::move(*fault));
  const auto sent = inner().write(parts);
  return sent ? taken(*sent, Parts{parts}.left()) : sent;
}

}  // namespace

std::unique_ptr<ByteStream> make_proxied_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                Opened opened) {
  return std::make_unique<ProxiedStream>(loop, std::move(inner), std::move(opened));
}

}  // namespace mqtt::net
