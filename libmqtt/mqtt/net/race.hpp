#pragma once
#include <expected>
#include <functional>
#include <memory>
#include <vector>

#include <mqtt/net/address.hpp>
#include <mqtt/net/connect_attempt.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// Families in turn, beginning with the family of the first address (RFC 8305 section 4).
[[nodiscard]] std::vector<SocketAddress> interleave_families(const std::vector<SocketAddress>& addresses);

/// "a", "a and b", "a, b and c"
[[nodiscard]] std::string enumerate(const std::vector<std::string>& names);

/// Connects to whichever of several addresses answers first: one more attempt every 250 ms, or as
/// soon as one fails (RFC 8305 section 5). Destroying it cancels.
class Race {
 public:
  struct Failure {
    SocketAddress address;
    int code;  ///< errno
  };
  using Callback = std::function<void(std::expected<std::unique_ptr<ByteStream>, std::vector<Failure>>)>;

  Race(Loop& loop, const std::vector<SocketAddress>& addresses, TcpOptions options, Callback done);
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  /// May call back at once, and so may destroy this object.
  void start() { start_next(); }

  /// The addresses that have been tried and have not failed: who to name when time is up.
  [[nodiscard]] std::string waiting_for() const;

 private:
  void start_next();
  void on_result(std::size_t index, std::expected<std::unique_ptr<ByteStream>, int> result);

  Loop* loop_;
  std::vector<SocketAddress> addresses_;
  TcpOptions options_;
  Callback done_;
  Timer stagger_;
  std::vector<std::unique_ptr<ConnectAttempt>> attempts_;  // by address; null when not under way
  std::vector<Failure> failures_;
  std::size_t started_ = 0;
};

/// One sentence part for all failures of a race, and the errno that tells most: "connection refused by
/// [::1]:1883 and 127.0.0.1:1883".
[[nodiscard]] Error describe_failures(const std::vector<Race::Failure>& failures);
[[nodiscard]] Error describe_connect_failure(int code, const std::vector<std::string>& peers);

}  // namespace mqtt::net
