#include <mqtt/store/reader.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/topic.hpp>
#include <mqtt/store/sqlite_store.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::store {
namespace {

constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t seconds_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t packet_id_max = 65'535;
constexpr std::int64_t identifier_max = 268'435'455;

/// The year 9999: 136 years after any day on which a broker may run.
constexpr UnixTime time_max = std::int64_t{253'402'300'799} * 1000;

/// "7,12"; nothing if it is not that.
std::optional<std::vector<std::uint32_t>> read_identifiers(std::string_view text) {
  std::vector<std::uint32_t> identifiers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint32_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc{} || number == 0 || number > identifier_max) return std::nullopt;
    identifiers.push_back(number);
    if (stop != end && (*stop != ',' || stop + 1 == end)) return std::nullopt;
    at = stop == end ? end : stop + 1;
  }
  return identifiers;
}

}  // namespace

std::int64_t RowReader::number(int column, std::int64_t min, std::int64_t max, const char* what) {
  const auto value = row_.integer(column);
  if (value && *value >= min && *value <= max) return *value;
  require(false, fmt::format("{} is {}", what, value ? fmt::format("{}", *value) : "not a number"));
  return min == none ? 0 : min;
}

std::optional<std::int64_t> RowReader::number_or_null(int column, std::int64_t min, std::int64_t max,
                                                      const char* what) {
  if (row_.is_null(column)) return std::nullopt;
  return number(column, min, max, what);
}

std::string_view RowReader::text(int column, const char* what) {
  const auto value = row_.text(column);
  if (!value || !is_mqtt_utf8(as_bytes(*value))) require(false, fmt::format("{} is not UTF-8 text", what));
  return value.value_or("");
}

std::string_view RowReader::text_or_null(int column, const char* what) {
  return row_.is_null(column) ? std::string_view{} : text(column, what);
}

Bytes RowReader::blob(int column, const char* what) {
  const auto value = row_.blob(column);
  if (!value) require(false, fmt::format("{} is not a blob", what));
  return value.value_or(Bytes{});
}

std::string_view RowReader::topic(int column) {
  const std::string_view name = text(column, "topic");
  if (const auto fault = find_topic_name_error(name)) require(false, fmt::format("topic: {}", fault->what));
  return name;
}

PropertiesView RowReader::properties(int column, PropertyPlace place) {
  const auto valid = validate_properties(blob(column, "properties"), place, Sender::client);
  require(valid.has_value(), "properties are malformed");
  return valid.value_or(PropertiesView{});
}

void RowReader::require(bool holds, std::string_view what) {
  if (!holds && fault_.empty()) fault_ = what;
}

Result<void> RowReader::result() const {
  if (fault_.empty()) return {};
  return fault(fault_);
}

std::unexpected<Error> RowReader::fault(std::string_view what) const {
  return fail(ErrorDomain::system, EBADMSG, fmt::format("it is damaged: {}: {}", name_, what));
}

Reader::Reader(SqliteStore& store, broker::Recovery& into) : store_{store}, into_{into} {}

Result<void> Reader::read() {
  if (auto read = read_key(); !read) return read;
  const std::pair<const char*, Step> steps[] = {
      {"SELECT * FROM message", &Reader::read_message},
      {"SELECT * FROM retained", &Reader::read_retained},
      {"SELECT * FROM session ORDER BY id", &Reader::read_session},
      {"SELECT * FROM subscription", &Reader::read_subscription},
      {"SELECT * FROM replay_sent", &Reader::read_replay_sent},
      {"SELECT * FROM received", &Reader::read_received},
      {"SELECT * FROM delivery WHERE packet_id IS NOT NULL ORDER BY sent", &Reader::read_delivery},
      {"SELECT * FROM delivery WHERE packet_id IS NULL ORDER BY id", &Reader::read_delivery},
  };
  for (const auto& [sql, step] : steps)
    if (auto read = each(sql, step); !read) return read;
  forget_orphans();
  return {};
}

Result<void> Reader::each(const char* sql, Step step) {
  auto statement = store_.database_.prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  statement->start();
  while (true) {
    const auto found = statement->next();
    if (!found) return std::unexpected(found.error());
    if (!*found) return {};
    if (auto read = (this->*step)(*statement); !read) return read;
  }
}

/// That of the first broker, from then on.
Result<void> Reader::read_key() {
  auto statement = store_.database_.prepare("SELECT value FROM setting WHERE name = 'publisher_key'");
  if (!statement) return std::unexpected(std::move(statement.error()));
  statement->start();
  const auto found = statement->next();
  if (!found) return std::unexpected(found.error());
  std::uint64_t words[2];
  if (*found) {
    RowReader row{*statement, "setting publisher_key"};
    const Bytes value = row.blob(0, "value");
    row.require(value.size() == sizeof words, "value is not of 16 bytes");
    if (auto valid = row.result(); !valid) return valid;
    std::memcpy(words, value.data(), sizeof words);
    into_.on_publisher_key({words[0], words[1]});
    return {};
  }
  const SipKey fresh = into_.publisher_key();
  words[0] = fresh.first;
  words[1] = fresh.second;
  auto keep = store_.database_.prepare("INSERT INTO setting VALUES('publisher_key', ?)");
  if (!keep) return std::unexpected(std::move(keep.error()));
  return keep->run(Bytes{reinterpret_cast<const std::uint8_t*>(words), sizeof words});
}

Deadline Reader::time(RowReader& row, int column, const char* what) {
  const auto when = row.number_or_null(column, 0, time_max, what);
  return when ? Deadline{store_.clocks_().to_steady(*when)} : std::nullopt;
}

broker::SubscriberId Reader::session(RowReader& row, int column) {
  const auto found = sessions_.find(row.number(column, 1, any, "session"));
  row.require(found != sessions_.end(), "there is no such session");
  return found == sessions_.end() ? 0 : found->second;
}

Result<void> Reader::read_session(Statement& statement) {
  const std::int64_t id = statement.integer(0).value_or(0);
  RowReader row{statement, fmt::format("session {}", id)};
  row.require(id > 0, "its id is not a positive number");
  broker::SessionRecord record;
  record.client_id = row.text(1, "client_id");
  row.require(!record.client_id.empty(), "it has no client_id");
  record.user = row.text_or_null(2, "user");
  record.version = static_cast<Version>(row.number(3, 3, 5, "version"));
  record.expiry_interval = static_cast<std::uint32_t>(row.number(4, 0, seconds_max, "expiry_interval"));
  record.connected = row.flag(5, "connected");
  record.ends_at = time(row, 6, "ends_at");
  broker::Will will;
  if (!statement.is_null(7)) {
    PublishView publish;
    publish.topic = row.topic(7);
    publish.payload = row.blob(8, "will_payload");
    publish.properties = row.properties(9, PropertyPlace::publish);
    publish.qos = row.qos(10);
    will.retain = row.flag(11, "will_retain");
    will.delay = static_cast<std::uint32_t>(row.number(12, 0, seconds_max, "will_delay"));
    if (const auto expiry = row.number_or_null(13, 0, seconds_max, "will_expiry"))
      will.expiry = static_cast<std::uint32_t>(*expiry);
    record.will_at = time(row, 14, "will_at");
    if (row.result()) will.message = into_.make_message(publish, {}, 0, 0);
    record.will = &will;
  }
  if (auto valid = row.result(); !valid) return valid;
  const auto number = into_.on_session(record);
  if (!number) return row.fault(number.error().context);
  sessions_.emplace(id, *number);
  store_.at(*number).row = id;
  store_.last_session_ = std::max(store_.last_session_, id);
  return {};
}

Result<void> Reader::read_subscription(Statement& statement) {
  RowReader row{statement, fmt::format("subscription of session {}", statement.integer(0).value_or(0))};
  broker::SubscriptionRecord record;
  record.session = session(row, 0);
  SubscriptionView& subscription = record.subscription;
  subscription.filter = row.text(1, "filter");
  if (const auto fault = find_topic_filter_error(subscription.filter))
    row.require(false, fmt::format("filter: {}", fault->what));
  subscription.options = {
      .qos = row.qos(2),
      .no_local = row.flag(3, "no_local"),
      .retain_as_published = row.flag(4, "retain_as_published"),
      .retain_handling = static_cast<RetainHandling>(row.number(5, 0, 2, "retain_handling"))};
  record.identifier =
      static_cast<std::uint32_t>(row.number_or_null(6, 1, identifier_max, "identifier").value_or(0));
  record.replays = row.flag(7, "replays");
  record.replays_until =
      static_cast<std::uint64_t>(row.number_or_null(8, 0, any, "replays_until").value_or(0));
  if (auto valid = row.result(); !valid) return valid;
  auto taken = into_.on_subscribed(record);
  return taken ? Result<void>{} : row.fault(taken.error().context);
}

Result<void> Reader::read_replay_sent(Statement& statement) {
  RowReader row{statement, fmt::format("replay_sent of session {}", statement.integer(0).value_or(0))};
  const broker::SubscriberId of = session(row, 0);
  const std::string_view filter = row.text(1, "filter");
  const auto message = static_cast<std::uint64_t>(row.number(2, 1, any, "message"));
  if (auto valid = row.result(); !valid) return valid;
  auto taken = into_.on_replay_sent(of, filter, message);
  return taken ? Result<void>{} : row.fault(taken.error().context);
}

Result<void> Reader::read_received(Statement& statement) {
  RowReader row{statement, fmt::format("received id of session {}", statement.integer(0).value_or(0))};
  const broker::SubscriberId of = session(row, 0);
  const auto id = static_cast<PacketId>(row.number(1, 1, packet_id_max, "packet_id"));
  if (auto valid = row.result(); !valid) return valid;
  auto taken = into_.on_received(of, id);
  return taken ? Result<void>{} : row.fault(taken.error().context);
}

Result<void> Reader::read_message(Statement& statement) {
  const std::int64_t id = statement.integer(0).value_or(0);
  RowReader row{statement, fmt::format("message {}", id)};
  row.require(id > 0, "its id is not a positive number");
  PublishView publish;
  publish.topic = row.topic(1);
  publish.payload = row.blob(2, "payload");
  publish.properties = row.properties(3, PropertyPlace::publish);
  publish.qos = row.qos(4);
  publish.retain = row.flag(5, "retain");
  const auto publisher = static_cast<std::uint64_t>(row.number(6, none, any, "publisher"));
  const Deadline expires = time(row, 7, "expires_at");
  if (auto valid = row.result(); !valid) return valid;
  broker::MessagePtr message =
      into_.make_message(publish, expires, publisher, static_cast<std::uint64_t>(id));
  message->mark().written = true;
  messages_.emplace(id, std::move(message));
  return {};
}

Result<void> Reader::read_retained(Statement& statement) {
  RowReader row{statement, fmt::format("retained message {}", statement.integer(1).value_or(0))};
  PublishView publish;
  publish.topic = row.topic(0);
  const std::int64_t number = row.number(1, 1, any, "message");
  publish.payload = row.blob(2, "payload");
  publish.properties = row.properties(3, PropertyPlace::publish);
  publish.qos = row.qos(4);
  publish.retain = true;
  const auto publisher = static_cast<std::uint64_t>(row.number(5, none, any, "publisher"));
  const Deadline expires = time(row, 6, "expires_at");
  row.require(!publish.payload.empty(), "it has no payload");
  if (auto valid = row.result(); !valid) return valid;
  // One that waits for somebody as well is one message.
  const auto same = messages_.find(number);
  const bool waits = same != messages_.end() && same->second->topic() == publish.topic;
  row.require(waits || same == messages_.end(), "another message has its number");
  if (auto valid = row.result(); !valid) return valid;
  into_.on_retained(
      waits ? same->second
            : into_.make_message(publish, expires, publisher, static_cast<std::uint64_t>(number)));
  return {};
}

Result<void> Reader::read_delivery(Statement& statement) {
  const std::int64_t id = statement.integer(0).value_or(0);
  RowReader row{statement, fmt::format("delivery {}", id)};
  row.require(id > 0, "its id is not a positive number");
  broker::DeliveryRecord record;
  record.row = static_cast<std::uint64_t>(id);
  record.session = session(row, 1);
  record.qos = row.qos(3, 1);
  record.retain = row.flag(4, "retain");
  const auto identifiers = read_identifiers(row.text_or_null(5, "identifiers"));
  row.require(identifiers.has_value(), "identifiers are not numbers");
  record.share = row.text_or_null(6, "share");
  row.require(
      record.share.empty() || (!find_topic_filter_error(record.share) && record.share.starts_with("$share/")),
      "share is not a shared subscription");
  record.packet_id = static_cast<PacketId>(row.number_or_null(7, 1, packet_id_max, "packet_id").value_or(0));
  const std::int64_t sent = row.number_or_null(8, 1, any, "sent").value_or(0);
  const auto number = row.number_or_null(2, 1, any, "message");
  const auto message = number ? messages_.find(*number) : messages_.end();
  row.require(!number || message != messages_.end(), "there is no such message");
  row.require(number || (record.packet_id != 0 && record.qos == QoS::exactly_once), "it has no message");
  if (auto valid = row.result(); !valid) return valid;
  if (number) record.message = message->second;
  record.identifiers = *identifiers;
  if (auto taken = into_.on_delivery(record); !taken) return row.fault(taken.error().context);
  if (number) ++record.message->mark().rows;
  if (record.packet_id != 0)
    store_.at(record.session).in_flight.put(record.packet_id, {record.row, record.message});
  store_.last_sent_ = std::max(store_.last_sent_, sent);
  return {};
}

/// Messages that no delivery needs: they go with the next commit.
void Reader::forget_orphans() {
  for (const auto& [id, message] : messages_)
    if (message->mark().rows == 0) store_.note(message);
}

}  // namespace mqtt::store
