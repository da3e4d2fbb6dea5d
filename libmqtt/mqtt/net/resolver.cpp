#include <mqtt/net/resolver.hpp>

#include <fmt/format.h>
#include <netdb.h>
#include <uv.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <mqtt/net/uv_handle.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

using Addresses = std::vector<SocketAddress>;

int family_number(Family family) {
  switch (family) {
    case Family::ipv4: return AF_INET;
    case Family::ipv6: return AF_INET6;
    case Family::any: break;
  }
  return AF_UNSPEC;
}

/// "localhost" and every name below it is this host, whatever a name server says (RFC 6761, 6.3).
bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  constexpr std::string_view name = "localhost", below = ".localhost";
  if (equal_ignoring_case(host, name)) return true;
  return host.size() > below.size() && equal_ignoring_case(host.substr(host.size() - below.size()), below);
}

Error resolve_error(std::string_view host, int code, int system_code) {
  const std::string why =
      code == EAI_SYSTEM ? std::generic_category().message(system_code) : std::string{gai_strerror(code)};
  return {ErrorDomain::resolve, code, fmt::format("cannot resolve '{}': {}", escape_for_terminal(host), why)};
}

Result<Addresses> only(Family family, Addresses addresses, std::string_view host) {
  if (family != Family::any)
    std::erase_if(addresses, [&](const SocketAddress& a) { return a.family() != family; });
  if (!addresses.empty()) return addresses;
  return std::unexpected(resolve_error(host, EAI_ADDRFAMILY, 0));
}

/// The answers that need no lookup.
std::optional<Result<Addresses>> known_addresses(const std::string& host, std::uint16_t port, Family family) {
  if (host.empty())
    return fail(ErrorDomain::resolve, EAI_NONAME, "cannot resolve '': the host name is empty");
  if (const auto literal = SocketAddress::parse(host, port)) return only(family, {*literal}, host);
  if (!is_localhost(host)) return std::nullopt;
  return only(family, {*SocketAddress::parse("::1", port), *SocketAddress::parse("127.0.0.1", port)}, host);
}

Result<Addresses> collect(const addrinfo* found, std::uint16_t port, std::string_view host) {
  Addresses addresses;
  for (; found; found = found->ai_next) {
    auto address = SocketAddress::from(found->ai_addr);
    if (!address) continue;
    address->set_port(port);
    addresses.push_back(*address);
  }
  return only(Family::any, std::move(addresses), host);
}

Result<Addresses> look_up(const std::string& host, std::uint16_t port, Family family) {
  addrinfo hints{};
  hints.ai_family = family_number(family);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;  // no IPv6 addresses for a machine that has only IPv4
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) return std::unexpected(resolve_error(host, code, errno));
  auto addresses = collect(found, port, host);
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

// A thread of its own instead of libuv's pool: getaddrinfo cannot be interrupted, and the pool's
// threads are joined when the process ends. A name server that does not answer would hold a tool for
// half a minute after its deadline; a cancelled lookup's thread is simply left behind. One that has
// answered is at its end: it is joined, so that nothing of it is left when the process ends.
struct Lookup::Job {
  struct Wake {
    uv_async_t handle{};
    Lookup* owner = nullptr;
  };

  std::thread thread;    // of the loop's side
  std::mutex mutex;      // guards the rest
  Wake* wake = nullptr;  // null when the lookup is cancelled
  std::optional<Result<Addresses>> result;

  void answer(Result<Addresses> addresses) {
    const std::lock_guard lock{mutex};
    if (!wake) return;
    result = std::move(addresses);
    uv_async_send(&wake->handle);
  }

  Wake* release_wake() {
    const std::lock_guard lock{mutex};
    return std::exchange(wake, nullptr);
  }

  Result<Addresses> take_result() {
    const std::lock_guard lock{mutex};
    return std::move(*result);
  }
};

Lookup::Lookup(Loop& loop, std::string host, std::uint16_t port, Family family, Callback done)
    : done_{std::move(done)}, answer_{loop, [this] { finish(std::move(*result_)); }} {
  result_ = known_addresses(host, port, family);
  if (result_) {
    answer_.request();
    return;
  }
  job_ = std::make_shared<Job>();
  job_->wake = new Job::Wake{{}, this};
  uv_async_init(loop.handle(), &job_->wake->handle, [](uv_async_t* handle) {
    Lookup& self = *static_cast<Job::Wake*>(handle->data)->owner;
    self.job_->thread.join();
    self.finish(self.job_->take_result());
  });
  job_->wake->handle.data = job_->wake;
  try {
    job_->thread = std::thread{
        [job = job_, host = std::move(host), port, family] { job->answer(look_up(host, port, family)); }};
  } catch (const std::system_error& fault) {
    result_ =
        std::unexpected(system_error(fault.code().value(), "cannot start a thread for name resolution"));
    answer_.request();
  }
}

Lookup::~Lookup() { abandon_job(); }

void Lookup::abandon_job() {
  if (!job_) return;
  close_and_delete(job_->release_wake());
  if (job_->thread.joinable()) job_->thread.detach();
  job_.reset();
}

void Lookup::finish(Result<std::vector<SocketAddress>> result) {
  abandon_job();
  const auto call = std::move(done_);
  call(std::move(result));
}

}  // namespace mqtt::net
