#include <mqtt/store/writer.hpp>

#include <utility>

namespace mqtt::store {
namespace {

/// Of the lists of a turn: what a burst took goes with it.
constexpr std::size_t kept_places = 4096;

template <class List>
void let_go(List& list) {
  if (list.capacity() > kept_places)
    list = List{};
  else
    list.clear();
}

std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

std::int64_t number(bool value) { return value ? 1 : 0; }
std::int64_t number(QoS qos) { return to_number(qos); }
std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace

void Changes::clear() {
  sessions.clear();
  let_go(ended);
  let_go(subscriptions);
  replay_sent.clear();
  let_go(received);
  let_go(messages);
  let_go(deliveries);
  let_go(sent);
  let_go(released);
  let_go(finished);
  retained.clear();
}

Result<Writer> Writer::make(Database& database, Clocks clocks) {
  const auto commits = database.number("SELECT commits FROM history");
  if (!commits) return std::unexpected(commits.error());
  Writer writer{database, std::move(clocks), *commits};
  const std::pair<Statement*, const char*> all[] = {
      {&writer.begin_, "BEGIN IMMEDIATE"},
      {&writer.commit_, "COMMIT"},
      {&writer.rollback_, "ROLLBACK"},
      {&writer.count_, "UPDATE history SET commits = ?"},
      {&writer.put_session_, "REPLACE INTO session VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
      {&writer.end_session_, "DELETE FROM session WHERE id = ?"},
      {&writer.end_subscriptions_, "DELETE FROM subscription WHERE session = ?"},
      {&writer.end_received_, "DELETE FROM received WHERE session = ?"},
      {&writer.subscribe_, "REPLACE INTO subscription VALUES(?,?,?,?,?,?,?,?,?)"},
      {&writer.end_replay_,
       "UPDATE subscription SET replays = 0, replays_until = NULL WHERE session = ? AND filter = ?"},
      {&writer.put_replay_sent_, "REPLACE INTO replay_sent VALUES(?,?,?)"},
      {&writer.drop_replay_sent_, "DELETE FROM replay_sent WHERE session = ? AND filter = ?"},
      {&writer.end_replays_sent_, "DELETE FROM replay_sent WHERE session = ?"},
      {&writer.unsubscribe_, "DELETE FROM subscription WHERE session = ? AND filter = ?"},
      {&writer.receive_, "REPLACE INTO received VALUES(?,?)"},
      {&writer.release_id_, "DELETE FROM received WHERE session = ? AND packet_id = ?"},
      {&writer.put_message_, "INSERT INTO message VALUES(?,?,?,?,?,?,?,?)"},
      {&writer.drop_message_, "DELETE FROM message WHERE id = ?"},
      {&writer.put_delivery_, "INSERT INTO delivery VALUES(?,?,?,?,?,?,?,?,?)"},
      {&writer.send_, "UPDATE delivery SET packet_id = ?, sent = ? WHERE id = ?"},
      {&writer.release_, "UPDATE delivery SET message = NULL, sent = ? WHERE id = ?"},
      {&writer.finish_, "DELETE FROM delivery WHERE id = ?"},
      {&writer.retain_, "REPLACE INTO retained VALUES(?,?,?,?,?,?,?)"},
      {&writer.forget_, "DELETE FROM retained WHERE topic = ?"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = database.prepare(sql);
    if (!prepared) return std::unexpected(std::move(prepared.error()));
    *statement = std::move(*prepared);
  }
  return writer;
}

Result<void> Writer::write(const Changes& changes) {
  if (auto begun = begin_.run(); !begun) return begun;
  auto result = write_all(changes);
  if (result) result = count_.run(commits_ + 1);
  if (result) result = commit_.run();
  if (result) ++commits_;
  if (!result && !database_->is_idle()) (void)rollback_.run();  // the first fault is the one to tell
  return result;
}

/// Sessions end last among what has their number: what came in the same turn goes with them.
Result<void> Writer::write_all(const Changes& changes) {
  for (const auto step : {&Writer::write_sessions, &Writer::write_subscriptions, &Writer::write_replays,
                          &Writer::write_received, &Writer::end_sessions, &Writer::write_messages,
                          &Writer::write_deliveries, &Writer::write_progress, &Writer::write_retained})
    if (auto done = (this->*step)(changes); !done) return done;
  return {};
}

std::optional<UnixTime> Writer::unix_time(const Deadline& when) const {
  return when ? std::optional{clocks_().to_unix(*when)} : std::nullopt;
}

Result<void> Writer::write_sessions(const Changes& changes) {
  for (const auto& [row, session] : changes.sessions)
    if (auto done = write_session(row, session); !done) return done;
  return {};
}

Result<void> Writer::write_session(std::int64_t row, const SessionRow& session) {
  using Number = std::optional<std::int64_t>;
  const auto known = [&](std::int64_t value) { return session.will ? Number{value} : Number{}; };
  const broker::Will will = session.will.value_or(broker::Will{});
  const broker::Message* const message = will.message.get();
  return put_session_.run(row, std::string_view{session.client_id}, unless_empty(session.user),
                          static_cast<std::int64_t>(session.version),
                          static_cast<std::int64_t>(session.expiry_interval), number(session.connected),
                          session.ends_at, message ? std::optional{message->topic()} : std::nullopt,
                          message ? std::optional{message->payload()} : std::nullopt,
                          message ? std::optional{message->properties().encoded()} : std::nullopt,
                          message ? Number{number(message->qos())} : Number{}, known(number(will.retain)),
                          known(static_cast<std::int64_t>(will.delay)),
                          will.expiry ? Number{*will.expiry} : Number{}, session.will_at);
}

Result<void> Writer::write_subscriptions(const Changes& changes) {
  for (const SubscriptionRow& row : changes.subscriptions) {
    if (auto done = drop_replay_sent_.run(row.session, std::string_view{row.filter}); !done) return done;
    if (auto done = write_subscription(row); !done) return done;
  }
  return {};
}

Result<void> Writer::write_subscription(const SubscriptionRow& row) {
  using Becomes = SubscriptionRow::Becomes;
  const std::string_view filter = row.filter;
  if (row.becomes == Becomes::given_up) return unsubscribe_.run(row.session, filter);
  if (row.becomes == Becomes::replayed) return end_replay_.run(row.session, filter);
  return subscribe_.run(row.session, filter, number(row.options.qos), number(row.options.no_local),
                        number(row.options.retain_as_published),
                        static_cast<std::int64_t>(row.options.retain_handling),
                        row.identifier != 0 ? std::optional<std::int64_t>{row.identifier} : std::nullopt,
                        number(row.replays_until.has_value()), row.replays_until);
}

/// After the subscriptions that they belong to.
Result<void> Writer::write_replays(const Changes& changes) {
  for (const auto& [of, messages] : changes.replay_sent)
    for (const std::int64_t message : messages)
      if (auto done = put_replay_sent_.run(of.first, std::string_view{of.second}, message); !done)
        return done;
  return {};
}

Result<void> Writer::write_received(const Changes& changes) {
  for (const ReceivedRow& row : changes.received) {
    Statement& statement = row.present ? receive_ : release_id_;
    if (auto done = statement.run(row.session, static_cast<std::int64_t>(row.id)); !done) return done;
  }
  return {};
}

Result<void> Writer::end_sessions(const Changes& changes) {
  for (const std::int64_t row : changes.ended)
    for (Statement* const statement :
         {&end_session_, &end_subscriptions_, &end_replays_sent_, &end_received_})
      if (auto done = statement->run(row); !done) return done;
  return {};
}

Result<void> Writer::write_messages(const Changes& changes) {
  for (const broker::MessagePtr& message : changes.messages) {
    const bool needed = message->mark().rows > 0;
    if (needed == message->mark().written) continue;
    auto done = needed ? write_message(*message) : drop_message_.run(number(message->number()));
    if (!done) return done;
  }
  return {};
}

Result<void> Writer::write_message(const broker::Message& message) {
  return put_message_.run(number(message.number()), message.topic(), message.payload(),
                          message.properties().encoded(), number(message.qos()), number(message.retain()),
                          number(message.publisher()), unix_time(message.expires()));
}

Result<void> Writer::write_deliveries(const Changes& changes) {
  using Number = std::optional<std::int64_t>;
  std::uint64_t id = changes.first_delivery;
  for (const DeliveryRow& row : changes.deliveries) {
    const std::int64_t this_id = number(id++);
    if (!row.present) continue;
    const bool waits = row.packet_id == 0;
    auto done = put_delivery_.run(
        this_id, row.session, row.message ? Number{number(row.message->number())} : Number{}, number(row.qos),
        number(row.retain), unless_empty(row.identifiers), unless_empty(row.share),
        waits ? Number{} : Number{row.packet_id}, waits ? Number{} : Number{row.sent});
    if (!done) return done;
  }
  return {};
}

/// Of deliveries that are in the database.
Result<void> Writer::write_progress(const Changes& changes) {
  for (const Changes::Sent& sent : changes.sent)
    if (auto done = send_.run(static_cast<std::int64_t>(sent.id), sent.order, number(sent.row)); !done)
      return done;
  for (const Changes::Released& released : changes.released)
    if (auto done = release_.run(released.order, number(released.row)); !done) return done;
  for (const std::uint64_t row : changes.finished)
    if (auto done = finish_.run(number(row)); !done) return done;
  return {};
}

Result<void> Writer::write_retained(const Changes& changes) {
  for (const auto& [topic, message] : changes.retained) {
    auto done = message ? retain_.run(std::string_view{topic}, number(message->number()), message->payload(),
                                      message->properties().encoded(), number(message->qos()),
                                      number(message->publisher()), unix_time(message->expires()))
                        : forget_.run(std::string_view{topic});
    if (!done) return done;
  }
  return {};
}

}  // namespace mqtt::store
