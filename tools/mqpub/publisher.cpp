#include "mqpub/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "mqpub/record_feed.hpp"
#include "mqpub/repeat_feed.hpp"

namespace mq {
namespace {

using mqtt::Ending;

/// Queued and not yet taken by the kernel: enough to fill its socket buffer once more.
constexpr std::size_t unsent_max_bytes = 256 * 1024;
/// Payload bytes in flight, so that large messages do not fill the memory; one is always let through.
constexpr std::uint64_t in_flight_max_bytes = 4 * 1024 * 1024;

std::int64_t wall_milliseconds() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::unique_ptr<Feed> make_feed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink) {
  if (config.source == PayloadSource::inputs && config.repeat == 1)
    return std::make_unique<RecordFeed>(loop, config, sink);
  return std::make_unique<RepeatFeed>(loop, config, sink);
}

}  // namespace

Publisher::Publisher(mqtt::net::Loop& loop, const PubConfig& config, ClientSetup setup,
                     std::unique_ptr<Spool> spool, mqtt::TimePoint started)
    : loop_{loop},
      config_{config},
      started_{started},
      diag_{"mqpub", config.connection.log},
      where_{where_of(config.connection, setup)},
      farewell_{config.connection, setup},
      signals_{loop_,
               {.on_stop = [this] { leave(ExitCode::interrupted); },
                .on_statistics = [this] { diag_.info(account_.text()); }}},
      deadline_{loop_, [this] { on_deadline(); }},
      pace_timer_{loop_, [this] { pump(); }},
      pace_{config.interval},
      spool_{std::move(spool)},
      client_{loop_, std::move(setup.options), *this},
      packet_log_{diag_, client_.session()},
      feed_{make_feed(loop_, config_, *this)} {}

ExitCode Publisher::run() {
  if (config_.deadline) deadline_.set(started_ + *config_.deadline);
  loop_.set_coalescing(std::chrono::microseconds{50});  // shorter than a server's 20 acknowledgements take
  if (const auto restored = restore(); !restored) {
    diag_.error(local_io_failed(restored.error()));
    return ExitCode::local_io;
  }
  client_.start();
  loop_.run();
  close_spool();
  if (config_.summary) write_summary();
  if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
  return exit_code_;
}

bool Publisher::has_room() {
  if (leaving_ || !client_.connected() || client_.unsent() >= unsent_max_bytes) return false;
  if (config_.acknowledged() &&
      (client_.session().send_quota() == 0 || account_.in_flight_bytes() >= in_flight_max_bytes))
    return false;
  return on_pace();
}

bool Publisher::on_pace() {
  if (pace_.unlimited()) return true;
  const auto wait = pace_.wait_until(loop_.now());
  if (wait) pace_timer_.set(*wait);
  return !wait;
}

mqtt::Result<void> Publisher::publish(const OutgoingMessage& message) {
  mqtt::PublishView header{.qos = message.qos,
                           .retain = message.retain,
                           .topic = message.topic,
                           .properties = message.properties,
                           .payload = {}};
  const bool spooled = spool_ && message.qos != mqtt::QoS::at_most_once;
  if (spooled)
    if (auto room = spool_->reserve(header, message.payload.bytes.size()); !room) return room;
  auto id = client_.session().publish(loop_.now(), header, message.payload);
  if (!id) return std::unexpected(std::move(id.error()));
  if (spooled) {
    header.packet_id = *id;
    spool_->add(header, message.payload.bytes, message.record, wall_milliseconds());
  }
  account_.sent(*id, message.payload.bytes.size());
  remember_topic(*id, message.topic);
  if (!pace_.unlimited()) pace_.sent(loop_.now());
  client_.flush();
  return {};
}

/// For the sentence should it be rejected: where every message may have a topic of its own.
void Publisher::remember_topic(mqtt::PacketId id, std::string_view topic) {
  if (id == 0 || !config_.many_topics()) return;
  if (topics_.size() <= id) topics_.resize(std::size_t{id} * 2);
  topics_[id] = topic;
}

std::string_view Publisher::topic_of(mqtt::PacketId id) const {
  return id < topics_.size() && !topics_[id].empty() ? std::string_view{topics_[id]} : config_.topic;
}

void Publisher::reject(const Sentence& why) {
  account_.refused_here();
  diag_.error(why);
}

void Publisher::pump() {
  feed_->pump();
  finish_if_done();
}

void Publisher::finish_if_done() {
  if (!feed_->at_end() || account_.unacked() > 0 || !client_.connected() || !confirmed()) return;
  leave(account_.rejected() > 0 ? ExitCode::publish_rejected : ExitCode::ok);
}

/// QoS 0 has no answer of its own. On plain TCP an orderly end tells that the server has read it all;
/// where our own farewell may provoke a reset (TLS, WebSocket), or with --confirm, a PINGRESP does.
bool Publisher::confirmed() {
  const bool wanted = config_.confirm || config_.connection.transport != mqtt::Transport::tcp;
  if (!wanted || !account_.sent_at_qos_0() || pong_seen_) return true;
  if (!std::exchange(ping_sent_, true) && client_.session().ping(loop_.now())) client_.flush();
  return false;
}

void Publisher::on_pong() {
  pong_seen_ = ping_sent_;
  finish_if_done();
}

mqtt::Result<void> Publisher::restore() {
  if (!spool_ || spool_->size() == 0) return {};
  if (auto read = spool_->for_each([this](const Spool::Message& message) { restore(message); }); !read)
    return read;
  diag_.info(fmt::format("{} that an earlier run left in the spool: sent first",
                         spool_->size() == 1 ? "1 message" : fmt::format("{} messages", spool_->size())));
  return {};
}

void Publisher::restore(const Spool::Message& message) {
  const mqtt::PacketId id = message.header.packet_id;
  account_.sent(id, message.payload.size());
  if (message.taken_over) return client_.session().restore_taken_over(spool_->client_id(), id);
  remember_topic(id, message.header.topic);
  mqtt::Deadline expires;
  if (const auto interval = message.header.properties.number(mqtt::PropertyId::message_expiry_interval)) {
    const std::chrono::milliseconds passed{std::max<std::int64_t>(wall_milliseconds() - message.added_ms, 0)};
    expires = loop_.now() + std::chrono::seconds{*interval} - passed;
  }
  client_.session().restore(spool_->client_id(), message.header,
                            mqtt::SharedBytes::take(mqtt::to_string(message.payload)), expires);
}

bool Publisher::may_write() {
  if (!spool_) return true;
  const auto committed = spool_->commit();
  if (committed) return true;
  leaving_ = true;
  exit_code_ = ExitCode::local_io;
  feed_->stop();
  diag_.error(local_io_failed(committed.error()));
  return false;
}

void Publisher::on_taken_over(mqtt::PacketId id) {
  if (spool_) spool_->take_over(id);
}

void Publisher::close_spool() {
  if (!spool_) return;
  if (feed_->at_end() && account_.unacked() == 0) spool_->forget_input();
  const auto finished = spool_->finish();
  if (finished || exit_code_ == ExitCode::local_io) return;
  exit_code_ = ExitCode::local_io;
  diag_.error(local_io_failed(finished.error()));
}

void Publisher::on_feed_error(const mqtt::Error& error) {
  diag_.error(local_io_failed(error));
  leave(ExitCode::local_io);
}

void Publisher::on_connack(const mqtt::ConnackView& connack) {
  if (mqtt::is_error(connack.reason)) return;
  where_.version = client_.session().version();
  ping_sent_ = false;
  pump();
}

void Publisher::on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) {
  account_.answered(id, reason);
  if (spool_) spool_->done(id);
  if (spool_ && spool_->size() == 0) spool_->flush();
  if (mqtt::is_error(reason)) diag_.error(publish_rejected(topic_of(id), reason, properties));
  pump();
}

void Publisher::on_lost(const Ending& ending, mqtt::Duration delay) {
  diag_.warning(describe_retry(ending, where_, delay));
}

void Publisher::on_renewal_failed(const mqtt::Error& error, mqtt::Duration delay) {
  diag_.warning(renewal_failed(error, delay));
}

void Publisher::on_session_left(const Ending& ending) {
  diag_.debug("the server may keep the session: " + describe(ending, where_).text);
}

void Publisher::on_ended(const Ending& ending) {
  loop_.stop();
  // A farewell that does not get through matters to nobody once everything is acknowledged.
  const bool confirmed = leaving_ && !account_.sent_at_qos_0() && account_.unacked() == 0;
  if (ending.kind != Ending::Kind::finished && !confirmed) return fail(ending);
  if (lost_at_the_end(ending)) return fail_unread(ending);
  const bool complete = account_.rejected() + account_.unacked() == 0;
  if (config_.streams() && !complete && !accounted_ && !config_.summary) diag_.error(account_.text());
}

void Publisher::fail(const Ending& ending) {
  if (exit_code_ == ExitCode::ok) exit_code_ = exit_code_for(ending);
  Sentence sentence = describe(ending, where_);
  if (config_.streams() && ending.had_connected) sentence.text += "; " + account_.text();
  diag_.error(sentence);
}

void Publisher::fail_unread(const Ending& ending) {
  exit_code_ = ExitCode::connection_lost;
  diag_.error({"the connection broke before the server had read everything: " + ending.error.context,
               "with -q 1 the server confirms each message"});
}

/// A reset while the server still had QoS 0 messages to read: they may be gone. Only of plain TCP can
/// that be told: TLS and WebSocket write a farewell of their own, which a server that has already
/// closed answers with a reset, too.
bool Publisher::lost_at_the_end(const Ending& ending) const {
  return exit_code_ == ExitCode::ok && account_.sent_at_qos_0() &&
         config_.connection.transport == mqtt::Transport::tcp && ending.error.code == ECONNRESET;
}

void Publisher::on_deadline() {
  if (leaving_) return;
  diag_.error(deadline_reached(*config_.deadline, account_.text()));
  accounted_ = true;
  leave(account_.unacked() > 0 ? ExitCode::publish_rejected : ExitCode::deadline);
}

void Publisher::leave(ExitCode code) {
  if (leaving_) return;
  leaving_ = true;
  exit_code_ = code;
  deadline_.cancel();
  pace_timer_.cancel();
  feed_->stop();
  if (spool_ && spool_->size() > 0) farewell_.keep_session();
  client_.disconnect(farewell_.reason(signals_.stop_signal()),
                     farewell_.properties(client_.session().version()));
}

void Publisher::write_summary() {
  const Diag::Fields fields = [this](JsonWriter& json) {
    json.field("sent", account_.sent());
    json.field("acked", account_.acked());
    json.field("rejected", account_.rejected());
    json.field("unacked", account_.unacked());
  };
  Diag{"mqpub", {.format = *config_.summary}}.event(Severity::info, "summary", account_.text(), fields);
}

}  // namespace mq
