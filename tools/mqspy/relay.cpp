#include "mqspy/relay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mqspy/names.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;
using How = mqtt::FlowClose::How;

/// Enough to fill a socket's buffer in one call.
constexpr std::size_t gathered_parts = 16;

/// With rules packets may have to wait; a side with so much of them is not read from.
constexpr std::size_t line_waiting_max = 1024 * 1024;

/// Bytes that a peer has not taken when the other one breaks off get so long to leave. After an orderly end
/// it is how often we look whether they have left: who is slow gets all of it.
constexpr mqtt::Duration linger_time = std::chrono::seconds{1};

}  // namespace

Relay::Relay(const RelayServices& services, std::unique_ptr<mqtt::net::ByteStream> client)
    : services_{services},
      sides_{Side{*this, Sender::client, services.loop.chunks()},
             Side{*this, Sender::server, services.loop.chunks()}},
      timer_{services.loop, [this] { on_time(); }} {
  link_.client = client->peer();
  link_.server = services.transport.server_place();
  link_.transport = services.transport.transport_name();
  link_.opened = wall_now();
  link_.number = services.inspection.open(
      {.client = link_.client, .server = link_.server, .transport = link_.transport}, link_.opened);
  side(Sender::client).stream = std::move(client);
}

/// What has been seen in the turn of the end comes before it.
Relay::~Relay() {
  cut();
  services_.inspection.close(link_.number, *close_);
}

void Relay::start() {
  introduction_ = std::make_unique<Introduction>(
      services_.loop, services_.transport, std::move(side(Sender::client).stream),
      [this](mqtt::Result<Introduction::Pair> pair) { on_introduced(std::move(pair)); });
}

void Relay::on_introduced(mqtt::Result<Introduction::Pair> pair) {
  if (!pair) {
    services_.inspection.note(link_.number, pair.error().context, wall_now());
    note_end(std::nullopt, How::fin);
    return end();
  }
  side(Sender::client).stream = std::move(pair->client);
  side(Sender::server).stream = std::move(pair->server);
  introduction_.reset();
  if (!services_.rules.empty()) line_ = std::make_unique<FaultLine>(services_.rules, link_);
  for (Side& each : sides_) each.stream->set_handler(&each);
}

void Relay::on_data(Sender from, mqtt::Bytes bytes) {
  if (lingering_ || over_) return;
  if (line_) {
    line_->receive(from, wall_now(), bytes, *this);
    return run_line();
  }
  send(side(other(from)), bytes);
  services_.inspection.bytes(link_.number, from, wall_now(), bytes);
  services_.seen();
}

/// What cannot leave at once is kept, and the other side is not read from until it has left.
void Relay::send(Side& to, mqtt::Bytes bytes) {
  if (to.broken) return;
  if (to.out.empty() && !to.blocked) {
    const iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    const auto taken = to.stream->write({&part, 1});
    if (!taken) return break_off(to);
    to.blocked = *taken < bytes.size();
    bytes = bytes.subspan(*taken);
  }
  if (!bytes.empty()) to.out.append_copy(bytes);
  follow_reading(side(other(to.who)));
}

void Relay::on_writable(Sender who) {
  if (over_) return;
  side(who).blocked = false;
  write_out(side(who));
  if (over_) return;
  line_ && !lingering_ ? run_line() : pass_on_ends();
}

void Relay::write_out(Side& to) {
  std::array<iovec, gathered_parts> parts;
  while (!to.out.empty() && !to.blocked && !to.broken) {
    const std::size_t count = to.out.gather(parts);
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) offered += parts[i].iov_len;
    const auto taken = to.stream->write({parts.data(), count});
    if (!taken) return break_off(to);
    to.blocked = *taken < offered;
    to.out.consume(*taken);
  }
  follow_reading(side(other(to.who)));
}

void Relay::follow_reading(Side& from) {
  const bool waits = line_ ? line_->waiting(from.who) > line_waiting_max : !side(other(from.who)).out.empty();
  if (waits == from.paused || from.ended) return;
  from.paused = waits;
  if (waits)
    from.stream->pause_reading();
  else
    from.stream->resume_reading();
}

/// `to` takes nothing more. What it has said last is still to come, and then how it ended.
void Relay::break_off(Side& to) {
  to.broken = true;
  to.out.clear();
  follow_reading(side(other(to.who)));
  if (to.ended) reset_other(to.who);
}

void Relay::on_end(Sender from) {
  if (over_) return;
  Side& ended = side(from);
  ended.ended = true;
  note_end(from, How::fin);
  if (lingering_) return pass_on_ends();
  if (ended.broken) return reset_other(from);
  if (!line_) return pass_on_ends();
  line_->end(from, wall_now(), *this);
  run_line();
}

void Relay::pass_on_ends() {
  if (resetting_) {
    if (sides_[0].out.empty() && sides_[1].out.empty()) end();
    return;
  }
  for (Side& each : sides_) pass_on_end(each);
  if (over_ || !sides_[0].shut_down || !sides_[1].shut_down) return;
  const auto done = [](const Side& each) { return each.ended && each.stream->may_just_close(); };
  if (done(sides_[0]) && done(sides_[1])) return end();
  linger();
}

void Relay::pass_on_end(Side& from) {
  Side& to = side(other(from.who));
  const bool all_passed = to.out.empty() && (!line_ || lingering_ || line_->finished(from.who));
  if (over_ || !from.ended || !all_passed || to.shut_down) return;
  to.shut_down = true;
  to.stream->shutdown();
}

void Relay::on_error(Sender from) {
  if (over_) return;
  side(from).ended = side(from).broken = true;
  note_end(from, How::reset);
  reset_other(from);
}

/// What `from` said before is on its way: it gets some time.
void Relay::reset_other(Sender from) {
  Side& to = side(other(from));
  note_end(from, How::reset);
  resetting_ = true;
  if (to.broken || to.out.empty()) return end();
  linger();
}

void Relay::on_passing(Sender sender, mqtt::Bytes bytes) {
  services_.inspection.bytes(link_.number, sender, wall_now(), bytes);
}

void Relay::on_fired(const Fired& fired) {
  services_.inspection.disturbed(link_.number, {.time = wall_now(),
                                                .sender = fired.sender,
                                                .rule = fired.rule.text,
                                                .action = fired.rule.action.text,
                                                .original = fired.original,
                                                .sent = fired.sent});
}

void Relay::on_too_large(Sender sender, std::size_t size) {
  services_.inspection.note(
      link_.number,
      fmt::format("a packet of the {} has {} bytes: no fault is made to it", side_name(sender), size),
      wall_now());
}

/// Writes what the line lets go of, as far as it is taken.
void Relay::run_line() {
  services_.seen();
  for (const Sender from : {Sender::client, Sender::server}) {
    Side& to = side(other(from));
    for (mqtt::Bytes out = line_->output(from); !out.empty() && !to.blocked; out = line_->output(from)) {
      if (to.broken) {
        line_->consume(from, out.size());
        continue;
      }
      const iovec part{const_cast<std::uint8_t*>(out.data()), out.size()};
      const auto taken = to.stream->write({&part, 1});
      if (!taken) {
        break_off(to);
        if (over_) return;
        continue;
      }
      to.blocked = *taken < out.size();
      line_->consume(from, *taken);
    }
    follow_reading(side(from));
  }
  if (const auto how = line_->wants_close()) return close_for(*how);
  pass_on_ends();
  if (over_ || lingering_) return;
  const mqtt::Deadline next = line_->next_deadline();
  timer_.set(next ? mqtt::Deadline{*next - services_.to_wall} : std::nullopt);
}

void Relay::close_for(CloseKind how) {
  note_end(std::nullopt, how == CloseKind::rst ? How::reset : How::fin);
  resetting_ = how == CloseKind::rst;
  if (resetting_) return end();
  for (Side& each : sides_)
    if (!std::exchange(each.shut_down, true)) each.stream->shutdown();
  linger();
}

void Relay::note_end(std::optional<Sender> by, How how) {
  if (!close_) close_ = mqtt::FlowClose{.by = by, .how = how, .time = wall_now()};
}

/// Nothing new goes by; what was taken has some time to leave.
void Relay::linger() {
  if (std::exchange(lingering_, true)) return;
  for (Side& each : sides_)
    if (each.paused && !each.ended) each.stream->resume_reading();
  timer_.set(services_.loop.refresh_now() + linger_time);
}

/// A stream that has taken bytes may still hold them until its peer reads, and drops them when it is closed.
bool Relay::has_all_left() const {
  return resetting_ ||
         std::ranges::all_of(sides_, [](const Side& each) { return each.stream->unacknowledged() == 0; });
}

void Relay::on_time() {
  if (lingering_) return has_all_left() ? end() : timer_.set(services_.loop.refresh_now() + linger_time);
  line_->on_time(services_.loop.now() + services_.to_wall);
  run_line();
}

void Relay::end() {
  if (over_) return;
  for (Side& each : sides_)
    if (resetting_) each.stream->reset();
  cut();
  services_.ended(*this);
}

void Relay::cut() {
  if (std::exchange(over_, true)) return;
  timer_.cancel();
  note_end(std::nullopt, How::unknown);
  introduction_.reset();
  for (Side& each : sides_)
    if (each.stream) each.stream->close();
}

}  // namespace mq::spy
