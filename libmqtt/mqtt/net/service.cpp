#include <mqtt/net/service.hpp>

#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

constexpr std::size_t message_max_bytes = 65'535;  // over TCP (RFC 1035, 4.2.2)
constexpr int srv_fixed_bytes = 6;                 // priority, weight, port

std::optional<ServiceRecord> record_of(const ns_msg& message, const ns_rr& record) {
  if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) <= srv_fixed_bytes) return std::nullopt;
  const unsigned char* data = ns_rr_rdata(record);
  std::array<char, NS_MAXDNAME> name{};
  if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + srv_fixed_bytes, name.data(),
                static_cast<int>(name.size())) < 0)
    return std::nullopt;
  const auto number = [data](int at) { return static_cast<std::uint16_t>(ns_get16(data + at)); };
  return ServiceRecord{number(0), number(2), {name.data(), number(4)}};
}

Error service_error(const std::string& name, int code) {
  const char* why = code == NO_DATA || code == HOST_NOT_FOUND ? "no such record" : hstrerror(code);
  return {ErrorDomain::resolve, code,
          fmt::format("cannot find the service '{}': {}", escape_for_terminal(name), why)};
}

struct CloseResolver {
  void operator()(res_state state) const { res_nclose(state); }
};

/// Takes one record out of those of equal priority, at the front of which those without weight stand.
std::size_t draw(const std::vector<ServiceRecord>& equals, const RandomUpTo& random) {
  std::uint32_t sum = 0;
  for (const ServiceRecord& record : equals) sum += record.weight;
  const std::uint32_t mark = random(sum);
  std::uint32_t running = 0;
  for (std::size_t i = 0; i < equals.size(); ++i)
    if ((running += equals[i].weight) >= mark) return i;
  return equals.size() - 1;
}

}  // namespace

std::vector<ServiceRecord> parse_services(Bytes message) {
  ns_msg parsed{};
  if (message.size() > message_max_bytes ||
      ns_initparse(message.data(), static_cast<int>(message.size()), &parsed) != 0)
    return {};
  std::vector<ServiceRecord> records;
  for (int i = 0; i < ns_msg_count(parsed, ns_s_an) && records.size() < service_records_max; ++i) {
    ns_rr record{};
    if (ns_parserr(&parsed, ns_s_an, i, &record) != 0) return {};
    if (auto found = record_of(parsed, record)) records.push_back(std::move(*found));
  }
  return records;
}

Result<std::vector<ServiceRecord>> query_services(const std::string& name) {
  struct __res_state state{};
  if (res_ninit(&state) != 0) return std::unexpected(service_error(name, NO_RECOVERY));
  const std::unique_ptr<struct __res_state, CloseResolver> closed_at_end{&state};
  std::vector<unsigned char> answer(message_max_bytes);
  const int size =
      res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(), static_cast<int>(answer.size()));
  if (size < 0) return std::unexpected(service_error(name, state.res_h_errno));
  const auto whole = std::min(static_cast<std::size_t>(size), answer.size());
  auto records = parse_services(Bytes{answer}.first(whole));
  if (records.empty()) return std::unexpected(service_error(name, NO_DATA));
  return records;
}

std::vector<HostPort> in_order_of_trial(std::vector<ServiceRecord> records, const RandomUpTo& random) {
  std::erase_if(records, [](const ServiceRecord& record) { return record.address.host.empty(); });
  std::ranges::sort(records, [](const ServiceRecord& a, const ServiceRecord& b) {
    return std::pair{a.priority, a.weight} < std::pair{b.priority, b.weight};
  });
  std::vector<HostPort> order;
  while (!records.empty()) {
    const auto equal = [&](const ServiceRecord& r) { return r.priority == records.front().priority; };
    const auto end = std::ranges::find_if_not(records, equal);
    const std::size_t drawn = draw({records.begin(), end}, random);
    order.push_back(std::move(records[drawn].address));
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(drawn));
  }
  return order;
}

}  // namespace mqtt::net
