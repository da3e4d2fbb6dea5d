#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/address.hpp>
#include <mqtt/net/background.hpp>
#include <mqtt/net/loop.hpp>

namespace mqtt::net {

/// A name whose addresses are known without asking for them.
struct NameOverride {
  std::string host;  ///< "*" is every name
  std::uint16_t port = 0;
  std::vector<SocketAddress> addresses;  ///< their ports are not used
};

/// One lookup of a name's addresses, in the resolver's order (RFC 6724). Destroying it cancels.
/// IP literals, overridden and localhost names (RFC 6761) are answered without any lookup. The callback comes
/// from the loop, never from the constructor, and may destroy the lookup.
class Lookup {
 public:
  /// At least one address, or Error{resolve, EAI_*, "cannot resolve 'host': ..."}.
  using Callback = std::function<void(Result<std::vector<SocketAddress>>)>;

  Lookup(Loop& loop, std::string host, std::uint16_t port, Family family, Callback done,
         const std::vector<NameOverride>& overrides = {});
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

 private:
  void finish(Result<std::vector<SocketAddress>> result);

  Callback done_;
  TurnEnd answer_;
  std::optional<Result<std::vector<SocketAddress>>> result_;  // known without a thread
  std::optional<Background> work_;
};

}  // namespace mqtt::net
