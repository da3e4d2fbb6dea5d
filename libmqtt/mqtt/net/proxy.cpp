#include <mqtt/net/proxy.hpp>

#include <cerrno>
#include <utility>

#include <mqtt/net/pass_through.hpp>
#include <mqtt/net/proxy_header.hpp>

namespace mqtt::net {
namespace {

class ProxiedStream final : public PassThroughStream {
 public:
  ProxiedStream(Loop& loop, std::unique_ptr<ByteStream> below, Opened opened)
      : PassThroughStream{loop, std::move(below), std::move(opened)} {
    attach();
  }

  std::string peer() const override { return source_ ? source_->text() : inner().peer(); }

 private:
  bool shake_hands() override;
  Error cut_short() const override {
    return {ErrorDomain::system, EPROTO, "closed before its PROXY protocol header was complete"};
  }

  std::optional<SocketAddress> source_;
};

bool ProxiedStream::shake_hands() {
  auto header = parse_proxy_header(intake().front());
  if (!header) {
    fail_with(std::move(header.error()));
    return false;
  }
  if (!*header) return false;
  source_ = (*header)->source;
  intake().skip((*header)->size);
  return succeeded();
}

}  // namespace

std::unique_ptr<ByteStream> make_proxied_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                Opened opened) {
  return std::make_unique<ProxiedStream>(loop, std::move(inner), std::move(opened));
}

}  // namespace mqtt::net
