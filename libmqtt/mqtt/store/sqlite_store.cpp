#include <mqtt/store/sqlite_store.hpp>

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <mqtt/store/reader.hpp>

namespace mqtt::store {
namespace {

/// How long what nobody has been promised may wait for a transaction of something else.
constexpr Duration delay_max = std::chrono::milliseconds{100};

/// Between attempts, while they fail.
constexpr Duration retry_interval = std::chrono::seconds{1};

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::string path, Durability durability, Clocks clocks,
                                                       int log_pages) {
  const bool is_new = ::access(path.c_str(), F_OK) != 0;
  auto lock = FileLock::take(path);
  if (!lock) return std::unexpected(std::move(lock.error()));
  if (is_new) CommitMark::remove(path);
  auto database = open_ours(path, durability);
  if (!database) return std::unexpected(std::move(database.error()));
  std::unique_ptr<SqliteStore> store{
      new SqliteStore{std::move(path), std::move(*lock), std::move(*database), std::move(clocks), log_pages}};
  if (auto begun = store->begin(durability); !begun)
    return fail(begun.error().domain, begun.error().code,
                fmt::format("cannot use the database {}: {}", store->path_, begun.error().context));
  return store;
}

SqliteStore::SqliteStore(std::string path, FileLock lock, Database database, Clocks clocks, int log_pages)
    : path_{std::move(path)},
      lock_{std::move(lock)},
      database_{std::move(database)},
      clocks_{std::move(clocks)},
      log_pages_{log_pages} {}

Result<void> SqliteStore::begin(Durability durability) {
  auto writer = Writer::make(database_, clocks_);
  if (!writer) return std::unexpected(std::move(writer.error()));
  auto mark = CommitMark::make(path_, durability, writer->commits());
  if (!mark) return std::unexpected(std::move(mark.error()));
  mark_.emplace(std::move(*mark));
  writer_ = std::make_unique<Writer>(std::move(*writer));
  return {};
}

SqliteStore::~SqliteStore() { (void)close(); }

Result<void> SqliteStore::close() {
  if (!writer_ || changes_.empty()) return {};
  return write({});
}

SqliteStore::Kept& SqliteStore::at(broker::SubscriberId session) {
  if (kept_.size() <= session) kept_.resize(session + std::size_t{1});
  return kept_[session];
}

void SqliteStore::on_retained(std::string_view topic, const broker::MessagePtr& message) {
  changes_.retained.insert_or_assign(std::string{topic}, message);
  // Topics that come and go while nothing can be written must not pile up.
  if (fault_ && !message && !is_retained(topic)) changes_.retained.erase(std::string{topic});
}

/// In the database; also if that cannot be said.
bool SqliteStore::is_retained(std::string_view topic) {
  auto find = database_.prepare("SELECT 1 FROM retained WHERE topic = ?");
  if (!find) return true;
  find->start(topic);
  return find->next().value_or(true);
}

void SqliteStore::on_session(const broker::SessionRecord& session) {
  Kept& kept = at(session.id);
  if (kept.row == 0) kept.row = ++last_session_;
  const ClockPair clocks = clocks_();
  const auto unix_time = [&](const Deadline& when) {
    return when ? std::optional{clocks.to_unix(*when)} : std::nullopt;
  };
  changes_.sessions.insert_or_assign(
      kept.row, SessionRow{.client_id = std::string{session.client_id},
                           .user = std::string{session.user},
                           .version = session.version,
                           .expiry_interval = session.expiry_interval,
                           .connected = session.connected,
                           .ends_at = unix_time(session.ends_at),
                           .will = session.will ? std::optional{*session.will} : std::nullopt,
                           .will_at = unix_time(session.will_at)});
}

void SqliteStore::on_session_ended(broker::SubscriberId session) {
  Kept& kept = at(session);
  kept.in_flight.for_each([this](PacketId, const InFlight& sent) {
    finish(sent.row);
    if (sent.message) release(sent.message);
  });
  changes_.sessions.erase(kept.row);
  changes_.ended.push_back(kept.row);
  kept = {};
}

void SqliteStore::on_subscribed(const broker::SubscriptionRecord& record) {
  const auto& [filter, options] = record.subscription;
  const auto until = static_cast<std::int64_t>(record.replays_until);
  changes_.put({.session = at(record.session).row,
                .filter = std::string{filter},
                .options = options,
                .identifier = record.identifier,
                .replays_until = record.replays ? std::optional{until} : std::nullopt});
}

void SqliteStore::on_replay_sent(broker::SubscriberId session, std::string_view filter,
                                 std::uint64_t message) {
  changes_.replay_sent[{at(session).row, std::string{filter}}].push_back(static_cast<std::int64_t>(message));
}

void SqliteStore::on_replayed(broker::SubscriberId session, std::string_view filter) {
  changes_.put({.session = at(session).row,
                .filter = std::string{filter},
                .options = {},
                .replays_until = {},
                .becomes = SubscriptionRow::Becomes::replayed});
}

void SqliteStore::on_unsubscribed(broker::SubscriberId session, std::string_view filter) {
  changes_.put({.session = at(session).row,
                .filter = std::string{filter},
                .options = {},
                .replays_until = {},
                .becomes = SubscriptionRow::Becomes::given_up});
}

void SqliteStore::on_delivery(const broker::DeliveryRecord& delivery) {
  Kept& kept = at(delivery.session);
  hold(delivery.message);
  if (changes_.deliveries.empty()) changes_.first_delivery = delivery.row;
  changes_.deliveries.push_back({.session = kept.row,
                                 .message = delivery.message,
                                 .identifiers = fmt::format("{}", fmt::join(delivery.identifiers, ",")),
                                 .share = std::string{delivery.share},
                                 .qos = delivery.qos,
                                 .retain = delivery.retain,
                                 .packet_id = delivery.packet_id});
  if (delivery.packet_id == 0) return;
  changes_.deliveries.back().sent = ++last_sent_;
  kept.in_flight.put(delivery.packet_id, {delivery.row, delivery.message});
}

void SqliteStore::on_sent(broker::SubscriberId session, std::uint64_t row, const broker::MessagePtr& message,
                          PacketId id) {
  at(session).in_flight.put(id, {row, message});
  ++last_sent_;
  DeliveryRow* const unwritten = changes_.find_unwritten(row);
  if (!unwritten) return changes_.sent.push_back({row, id, last_sent_});
  unwritten->packet_id = id;
  unwritten->sent = last_sent_;
}

void SqliteStore::on_given_up(std::uint64_t row, const broker::MessagePtr& message) {
  finish(row);
  release(message);
}

void SqliteStore::on_taken_over(broker::SubscriberId session, PacketId id) {
  InFlight* const sent = at(session).in_flight.find(id);
  if (!sent || !sent->message) return;
  ++last_sent_;
  if (DeliveryRow* const unwritten = changes_.find_unwritten(sent->row)) {
    unwritten->message = nullptr;
    unwritten->sent = last_sent_;
  } else {
    changes_.released.push_back({sent->row, last_sent_});
  }
  release(std::exchange(sent->message, nullptr));
}

void SqliteStore::on_finished(broker::SubscriberId session, PacketId id) {
  Kept& kept = at(session);
  const InFlight* const sent = kept.in_flight.find(id);
  if (!sent) return;
  finish(sent->row);
  if (sent->message) release(sent->message);
  kept.in_flight.erase(id);
}

void SqliteStore::on_received(broker::SubscriberId session, PacketId id) {
  changes_.received.push_back({at(session).row, id, true});
}

void SqliteStore::on_released(broker::SubscriberId session, PacketId id) {
  changes_.received.push_back({at(session).row, id, false});
}

/// A delivery is over.
void SqliteStore::finish(std::uint64_t row) {
  if (DeliveryRow* const unwritten = changes_.find_unwritten(row)) {
    unwritten->present = false;
    unwritten->message = nullptr;
  } else {
    changes_.finished.push_back(row);
  }
}

void SqliteStore::hold(const broker::MessagePtr& message) {
  ++message->mark().rows;
  note(message);
}

void SqliteStore::release(const broker::MessagePtr& message) {
  --message->mark().rows;
  note(message);
}

void SqliteStore::note(const broker::MessagePtr& message) {
  if (std::exchange(message->mark().noted, true)) return;
  changes_.messages.push_back(message);
}

Result<void> SqliteStore::commit(TimePoint now, broker::Urgency urgency) {
  if (changes_.empty()) {
    due_.reset();
    return {};
  }
  const bool promised = urgency == broker::Urgency::promised;
  if (!due_) due_ = now + delay_max;
  if (now < *due_ && !promised) return {};
  if (now < *due_ && fault_) return std::unexpected(*fault_);  // it is too early to try again
  auto written = write(now);
  // What could not be written stays for the next attempt; nobody else depends on it.
  if (!written && promised) return written;
  return {};
}

Result<void> SqliteStore::write(TimePoint now) {
  auto written = write_changes();
  if (!written) {
    written.error().context = fmt::format("cannot write the database {}: {}", path_, written.error().context);
    fault_ = written.error();
    due_ = now + retry_interval;
    return written;
  }
  for (const broker::MessagePtr& message : changes_.messages) {
    message->mark().written = message->mark().rows > 0;
    message->mark().noted = false;
  }
  changes_.clear();
  fault_.reset();
  due_.reset();
  return {};
}

Result<void> SqliteStore::write_changes() {
  if (auto bounded = bound_log(); !bounded) return bounded;
  if (auto written = writer_->write(changes_); !written) return written;
  mark_->put(writer_->commits());
  return {};
}

Result<void> SqliteStore::bound_log() {
  if (database_.log_pages() < log_pages_) return {};
  const auto restarted = database_.restart_log();
  if (!restarted) return std::unexpected(restarted.error());
  if (*restarted) return {};
  return fail(ErrorDomain::system, EBUSY,
              fmt::format("its log {} has grown to {} pages, as another program reads the database in a "
                          "transaction that does not end",
                          companion(path_, "-wal"), database_.log_pages()));
}

Deadline SqliteStore::next_deadline() const { return due_; }

Result<void> SqliteStore::recover(TimePoint, broker::Recovery& into) {
  Reader reader{*this, into};
  auto read = reader.read();
  if (!read)
    read.error().context = fmt::format("cannot use the database {}: {}", path_, read.error().context);
  if (read) database_.on_close(Closing::ends_log);
  return read;
}

}  // namespace mqtt::store
