#include <mqtt/net/race.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mqtt::net {
namespace {

// RFC 8305 section 5: the recommended Connection Attempt Delay.
constexpr auto attempt_delay = std::chrono::milliseconds{250};

/// Somebody's answer tells more than a missing route.
int rank(int code) {
  switch (code) {
    case ECONNREFUSED: return 0;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return 2;
    default: return 1;
  }
}

}  // namespace

std::vector<SocketAddress> interleave_families(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> mixed;
  std::vector<SocketAddress> queues[2];
  for (const SocketAddress& address : addresses)
    queues[address.family() == addresses.front().family() ? 0 : 1].push_back(address);
  for (std::size_t i = 0; i < std::max(queues[0].size(), queues[1].size()); ++i)
    for (const auto& queue : queues)
      if (i < queue.size()) mixed.push_back(queue[i]);
  return mixed;
}

std::string enumerate(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  if (names.size() == 1) return names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

Race::Race(Loop& loop, const std::vector<SocketAddress>& addresses, TcpOptions options, Callback done)
    : loop_{&loop},
      addresses_{interleave_families(addresses)},
      options_{options},
      done_{std::move(done)},
      stagger_{loop, [this] { start_next(); }},
      attempts_(addresses_.size()) {}

void Race::start_next() {
  while (started_ < addresses_.size()) {
    const std::size_t index = started_++;
    auto attempt = ConnectAttempt::tcp(*loop_, addresses_[index], options_,
                                       [this, index](auto result) { on_result(index, std::move(result)); });
    if (attempt) {
      attempts_[index] = std::move(*attempt);
      if (started_ < addresses_.size()) stagger_.set(loop_->now() + attempt_delay);
      return;
    }
    failures_.push_back({addresses_[index], attempt.error()});
  }
  stagger_.cancel();
  if (failures_.size() < addresses_.size()) return;  // some are still under way
  const auto call = std::move(done_);
  call(std::unexpected(std::move(failures_)));
}

void Race::on_result(std::size_t index, std::expected<std::unique_ptr<ByteStream>, int> result) {
  attempts_[index].reset();
  if (!result) {
    failures_.push_back({addresses_[index], result.error()});
    return start_next();
  }
  stagger_.cancel();
  attempts_.clear();  // the losers
  const auto call = std::move(done_);
  call(std::move(*result));
}

std::string Race::waiting_for() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < attempts_.size(); ++i)
    if (attempts_[i]) names.push_back(addresses_[i].text());
  return enumerate(names);
}

Error describe_connect_failure(int code, const std::vector<std::string>& peers) {
  if (code == ECONNREFUSED)
    return {ErrorDomain::system, code, fmt::format("connection refused by {}", enumerate(peers))};
  return system_error(code, fmt::format("cannot connect to {}", enumerate(peers)));
}

Error describe_failures(const std::vector<Race::Failure>& failures) {
  std::vector<std::pair<int, std::vector<std::string>>> groups;  // by errno, the most telling first
  const auto place_for = [&](int code) {
    return std::ranges::upper_bound(groups, rank(code), {},
                                    [](const auto& group) { return rank(group.first); });
  };
  for (const auto& [address, code] : failures) {
    auto group = std::ranges::find(groups, code, &decltype(groups)::value_type::first);
    if (group == groups.end()) group = groups.insert(place_for(code), {code, {}});
    group->second.push_back(address.text());
  }
  Error whole{ErrorDomain::system, 0, {}};
  for (const auto& [code, peers] : groups) {
    if (whole.context.empty())
      whole.code = code;
    else
      whole.context += "; ";
    whole.context += describe_connect_failure(code, peers).context;
  }
  return whole;
}

}  // namespace mqtt::net
