#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <mqtt/util/time.hpp>

namespace mqtt::broker {

/// Slows down who guesses passwords. From an address with several failed logins behind it no further one is
/// looked at for a second, after the next failure for two, four and so on. What is refused meanwhile counts
/// for nothing, so that those who share an address with a client that fails all the time still have a turn
/// after each of these waits.
///
/// A success forgives nothing: who has an account could use it to go on guessing at those of others.
class FailedLogins {
 public:
  static constexpr std::uint32_t free_failures =
      10;  ///< so many people mistype, or devices restart, before any wait
  static constexpr Duration first_wait = std::chrono::seconds{1};
  static constexpr Duration remembered = std::chrono::minutes{10};  ///< since the last failure
  static constexpr std::size_t places_max = 4096;  ///< with another one the oldest is forgotten

  /// `wait_max` 0: nobody ever waits.
  explicit FailedLogins(Duration wait_max) : wait_max_{wait_max} {}

  /// `address` as "192.0.2.1:50312" or "[2001:db8::1]:50312"; what has no port, as a unix socket, is not
  /// slowed down.
  void note(TimePoint now, std::string_view address);
  [[nodiscard]] bool must_wait(TimePoint now, std::string_view address) const;
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  struct Place {
    TimePoint last;
    TimePoint closed_until;
    std::uint32_t failures = 0;
  };

  [[nodiscard]] Duration wait_after(std::uint32_t failures) const;
  void make_room(TimePoint now);

  Duration wait_max_;
  std::map<std::string, Place, std::less<>> places_;
};

/// Who is taken for one: an IPv4 address, or the first 64 bits of an IPv6 address, which is what a customer
/// gets. Empty for what is neither.
[[nodiscard]] std::string network_of(std::string_view address);

}  // namespace mqtt::broker
