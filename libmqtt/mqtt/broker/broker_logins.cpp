// Logins that take longer to check than the loop has time for: who waits for that, and what becomes of it.
// And those that are good for some time only.
#include <utility>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {

/// Until decide(). The client has connect_timeout, and says nothing more meanwhile.
void Broker::State::put_off(Connection& connection, std::function<AuthDecision()> work,
                            std::size_t size_bytes) {
  if (logins.size() >= config.limits.logins || memory_is_short())
    return refuse(connection, ReasonCode::server_busy, {});
  const std::uint64_t ticket = ++last_ticket;
  connection.pending_->ticket = ticket;
  logins.try_emplace(ticket, &connection, std::move(work), size_bytes);
  login_bytes += size_bytes;
  connection.link_.await_decision(now);
}

std::optional<AuthWork> Broker::State::take_auth_work() {
  // Of those at the front a few have been taken: as many as there are threads.
  for (auto it = logins.begin(); it != logins.end();) {
    const std::uint64_t ticket = it->first;
    Login& login = it->second;
    ++it;
    if (!login.work) continue;
    if (!login.connection->link_.wants_close() && !failed_logins.must_wait(now, login.connection->address()))
      return AuthWork{ticket, std::exchange(login.work, nullptr)};
    decide(ticket, AuthDecision::refused(ReasonCode::connection_rate_exceeded));
  }
  return std::nullopt;
}

void Broker::State::decide(std::uint64_t ticket, AuthDecision decision) {
  const auto login = logins.find(ticket);
  if (login == logins.end()) return;  // the client has gone
  Connection& connection = *login->second.connection;
  drop_login(connection);
  if (connection.link_.wants_close()) return;
  note_changed(connection);
  // Or many guesses could be under way before the first of them fails.
  if (failed_logins.must_wait(now, connection.address()))
    return refuse(connection, ReasonCode::connection_rate_exceeded, {});
  on_decision(connection, std::move(decision));
}

void Broker::State::drop_login(Connection& connection) {
  if (!connection.pending_) return;
  const auto login = logins.find(std::exchange(connection.pending_->ticket, 0));
  if (login == logins.end()) return;
  login_bytes -= login->second.size_bytes;
  logins.erase(login);
}

/// Instead of when it was to end before.
void Broker::State::end_after(Connection& connection, std::optional<Duration> lasts) {
  if (const auto former = login_end_of.find(&connection); former != login_end_of.end()) {
    login_ends.erase({former->second, &connection});
    login_end_of.erase(former);
  }
  if (!lasts) return;
  login_end_of.emplace(&connection, now + *lasts);
  login_ends.emplace(now + *lasts, &connection);
}

void Broker::State::end_due_logins() {
  while (!login_ends.empty() && login_ends.begin()->first <= now) {
    Connection& connection = *login_ends.begin()->second;
    end_after(connection, std::nullopt);
    want_close(connection, ReasonCode::maximum_connect_time);
  }
}

}  // namespace mqtt::broker
