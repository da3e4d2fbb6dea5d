#include <mqtt/broker/failed_logins.hpp>

#include <algorithm>

#include <arpa/inet.h>

namespace mqtt::broker {

std::string network_of(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == address.npos) return {};
  std::string host{address.substr(0, colon)};
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return host;
  if (!host.starts_with('[') || !host.ends_with(']')) return {};
  host = host.substr(1, std::min(host.find('%'), host.size() - 1) - 1);  // without the zone
  in6_addr six{};
  if (::inet_pton(AF_INET6, host.c_str(), &six) != 1) return {};
  if (IN6_IS_ADDR_V4MAPPED(&six)) return host;
  std::fill(std::begin(six.s6_addr) + 8, std::end(six.s6_addr), std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = {};
  return ::inet_ntop(AF_INET6, &six, text, sizeof text) ? text : std::string{};
}

void FailedLogins::note(TimePoint now, std::string_view address) {
  const std::string network = network_of(address);
  if (network.empty() || wait_max_ == Duration::zero()) return;
  if (!places_.contains(network)) make_room(now);
  Place& place = places_[network];
  if (now >= place.last + remembered) place.failures = 0;
  place.last = now;
  place.closed_until = now + wait_after(++place.failures);
}

bool FailedLogins::must_wait(TimePoint now, std::string_view address) const {
  if (places_.empty()) return false;
  const auto place = places_.find(network_of(address));
  return place != places_.end() && now < place->second.closed_until;
}

Duration FailedLogins::wait_after(std::uint32_t failures) const {
  if (failures < free_failures) return Duration::zero();
  constexpr std::uint32_t doublings_max = 20;  // a week and a half
  return std::min(wait_max_, first_wait * (1 << std::min(failures - free_failures, doublings_max)));
}

void FailedLogins::make_room(TimePoint now) {
  if (places_.size() < places_max) return;
  std::erase_if(places_, [now](const auto& entry) { return now >= entry.second.last + remembered; });
  if (places_.size() < places_max) return;
  places_.erase(std::ranges::min_element(places_, {}, [](const auto& entry) { return entry.second.last; }));
}

}  // namespace mqtt::broker
