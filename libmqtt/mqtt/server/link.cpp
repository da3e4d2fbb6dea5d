#include <mqtt/server/link.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include <mqtt/server/exchange.hpp>
#include <mqtt/server/lanes.hpp>

namespace mqtt::server {
namespace {

/// Enough to fill a socket's buffer in one call; more parts wait for the next.
constexpr std::size_t gathered_parts = 64;

/// A client that takes all that it is given may still not keep the others waiting.
constexpr std::size_t written_per_pass = 1024 * 1024;

/// So much of answers to what a client says may wait behind the messages for it, or besides those that
/// write_backlog allows. Who lets more wait is not asked for more.
constexpr std::size_t answers_max = 256 * 1024;
constexpr std::size_t answers_max_when_memory_is_short = 16 * 1024;

/// libuv would read 2 MiB from one connection before it looks at the next one.
constexpr std::size_t read_per_turn = net::Loop::read_buffer_bytes;

}  // namespace

Link::Link(Exchange& exchange, std::unique_ptr<net::ByteStream> stream, std::uint16_t listener)
    : exchange_{exchange},
      stream_{std::move(stream)},
      deadline_{exchange.deadlines().end()},
      listener_{listener} {}

void Link::open(broker::ConnectionInfo info) {
  connection_ = &exchange_.broker().open(exchange_.now(), *this, std::move(info));
  exchange_.events().on_opened(*connection_);
  stream_->set_handler(this);
  exchange_.request_turn_end();  // for the deadline of CONNECT
}

void Link::enlist() {
  if (enlisted_) return;
  enlisted_ = true;
  exchange_.enlist(*this);
}

void Link::on_data(Bytes bytes) {
  Exchange& exchange = exchange_;
  note_read(bytes.size());
  if (connection_) exchange.broker().receive(exchange.now(), *connection_, bytes);
  follow_reading();
  exchange.on_input(bytes.size());  // may end the stream
}

void Link::note_read(std::size_t size) {
  if (read_turn_ != exchange_.turn()) read_bytes_ = 0;
  read_turn_ = exchange_.turn();
  read_bytes_ += static_cast<std::uint32_t>(size);
  if (read_bytes_ < read_per_turn || resting_) return;
  resting_ = true;
  exchange_.rest(*this);
}

void Link::end_rest() {
  resting_ = false;
  if (stream_) follow_reading();
}

void Link::on_writable() {
  blocked_ = false;
  enlist();
}

void Link::on_end() {
  peer_ended_ = true;
  enlist();
}

void Link::on_error(Error) { give_up(); }

void Link::give_up() {
  lost_ = true;
  enlist();
}

Lane* Link::lane() const {
  return connection_ && stream_ ? dynamic_cast<Lane*>(stream_->shortcut()) : nullptr;
}

void Link::on_word(std::uint32_t word, Bytes bytes) {
  switch (static_cast<LaneWord>(word)) {
    case LaneWord::ask: return exchange_.ask(*this, as_text(bytes));
    case LaneWord::report: {
      LaneReport report;
      std::memcpy(&report, bytes.data(), sizeof report);
      exchange_.broker().note_routed(report.counts);
      if (connection_) exchange_.broker().note_heard(*connection_, report.heard);
      return;
    }
    case LaneWord::dropped: {
      broker::RoutedCounts dropped;
      std::memcpy(&dropped, bytes.data(), sizeof dropped);
      exchange_.broker().note_dropped(exchange_.now(), connection_, dropped);
      return exchange_.request_turn_end();  // for a deadline that has moved
    }
    case LaneWord::slow: slow_ = true; return;
    case LaneWord::quiet: slow_ = false; return;
  }
}

void Link::answer(std::string_view topic) {
  Lane* const its = lane();
  LaneRoutePtr route = exchange_.find_route(*its, *connection_, topic);
  its->lanes().thread().post(
      [its, route = std::move(route)](Bytes) mutable { its->on_answer(std::move(route)); });
}

/// A message that is on its way for long, over a slow line, is no reason not to listen: the client may have
/// to send before it can read on, and its PINGREQ is to be heard.
void Link::follow_answers() {
  const bool memory_short = exchange_.broker().memory_is_short();
  const std::size_t backlog = memory_short ? 0 : exchange_.write_backlog();
  const std::size_t answers = memory_short ? answers_max_when_memory_is_short : answers_max;
  const bool unheard =
      !write_failed_ && output().size() > std::max(backlog, connection_->messages_end()) + answers;
  if (unheard == unheard_) return;
  unheard_ = unheard;
  if (unheard) {
    set_deadline(exchange_.stall_timeout());
    return exchange_.broker().on_reading_stopped(*connection_);
  }
  if (!write_failed_) drop_deadline();
  exchange_.broker().on_reading_resumed(exchange_.now(), *connection_);
}

/// What a closing connection still hears is dropped: unread bytes would turn its end into a reset.
void Link::follow_reading() {
  if (connection_) follow_answers();
  const bool pause = resting_ || (connection_ && (unheard_ || !connection_->wants_input()));
  if (pause == paused_) return;
  paused_ = pause;
  if (pause) return stream_->pause_reading();
  stream_->resume_reading();
  exchange_.request_turn_end();  // for a question that may have waited for it
}

void Link::write() {
  if (lost_) return;
  OutBuffer& queued = output();
  std::array<iovec, gathered_parts> parts;
  for (std::size_t written = 0; !queued.empty() && !blocked_ && written < written_per_pass;) {
    if (write_failed_) return queued.clear();
    const std::size_t count = queued.gather(parts);
    std::size_t offered = 0;
    for (const iovec& part : std::span{parts}.first(count)) offered += part.iov_len;
    const auto taken = stream_->write(std::span{parts}.first(count));
    write_failed_ = !taken;
    if (!taken) continue;
    queued.consume(*taken);
    written += *taken;
    wrote_ = true;
    blocked_ = *taken < offered;
    exchange_.broker().note_sent(connection_, *taken);
  }
}

void Link::cut_off() {
  if (lost_ || output().empty()) return;
  output().clear();
  stream_->reset();
  lost_ = true;
}

void Link::settle() {
  enlisted_ = false;
  if (!stream_) return;
  if (lost_) return end();
  const bool nothing_said = !wrote_ && output().empty();
  const bool all_said = stream_->has_left() && (nothing_said || shut_down_);
  if (peer_ended_ && (all_said || write_failed_)) return end();
  if (connection_) settle_with_broker();
  if (!connection_) return close_down();
  follow_reading();
  if (!output().empty() && !blocked_) enlist();
}

void Link::settle_with_broker() {
  broker::Broker& broker = exchange_.broker();
  if (wrote_) broker.on_written(exchange_.now(), *connection_);
  if (wrote_ && unheard_) set_deadline(exchange_.stall_timeout());
  wrote_ = false;
  broker.serviced(exchange_.now(), *connection_);
  // What the client said before it hung up is still to be read: it may be a DISCONNECT.
  if (write_failed_ && !draining_) set_deadline(exchange_.drain_timeout());
  draining_ = write_failed_;
  if (peer_ended_ || connection_->wants_close()) leave_broker();
}

/// The broker need not wait for the last packets to be read: a Will is due now.
void Link::leave_broker() {
  set_deadline(exchange_.drain_timeout());
  const CloseInfo* const why = connection_->close_info();
  said_goodbye_ = why && why->reason == CloseReason::peer_disconnect;
  last_output_ = std::make_unique<OutBuffer>(std::move(connection_->output()));
  close_connection();
}

void Link::close_connection() {
  if (Lane* const its = lane()) {
    its->let_go();
    its->lanes().thread().post([its](Bytes) { its->leave_broker(); });
  }
  exchange_.events().on_closed(*connection_);
  exchange_.broker().close(exchange_.now(), *std::exchange(connection_, nullptr));
}

void Link::set_deadline(Duration from_now) {
  drop_deadline();
  deadline_ = exchange_.deadlines().emplace(exchange_.now() + from_now, this);
}

void Link::drop_deadline() {
  LinkDeadlines& deadlines = exchange_.deadlines();
  if (deadline_ != deadlines.end()) deadlines.erase(deadline_);
  deadline_ = deadlines.end();
}

void Link::close_down() {
  follow_reading();
  if (write_failed_) return end();
  if (!blocked_ && !output().empty()) return enlist();
  if (!output().empty()) return;
  if (said_goodbye_ && stream_->may_just_close()) return end();
  if (!shut_down_) stream_->shutdown();
  shut_down_ = true;
  if (stream_->has_left()) set_deadline(exchange_.linger_timeout());
}

void Link::end() {
  const bool unwritten = !output().empty();
  if (connection_) close_connection();
  drop_deadline();
  last_output_.reset();
  // The kernel would keep for minutes what nobody reads.
  if (unwritten) stream_->reset();
  stream_.reset();
  exchange_.retire(*this);
}

}  // namespace mqtt::server
