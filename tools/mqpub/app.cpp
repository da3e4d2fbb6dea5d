#include "mqpub/app.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "common/packet_log.hpp"
#include "common/signals.hpp"
#include "common/stdio.hpp"
#include "mqpub/account.hpp"
#include "mqpub/line_feed.hpp"
#include "mqpub/repeat_feed.hpp"

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::PropertyPlace;
using mqtt::QoS;

/// Queued and not yet taken by the kernel: enough to fill its socket buffer once more.
constexpr std::size_t unsent_max_bytes = 256 * 1024;
/// Payload octets in flight, so that large messages do not fill the memory; one is always let through.
constexpr std::uint64_t in_flight_max_bytes = 4 * 1024 * 1024;
/// Messages in flight where the server allows more: enough for any network, small enough to keep.
constexpr std::uint16_t in_flight_max = 1024;

/// None for lines, which come while they are published.
mqtt::Result<std::vector<mqtt::SharedBytes>> read_payloads(const PubConfig& config) {
  std::vector<mqtt::SharedBytes> payloads;
  std::vector<std::string> files;
  switch (config.source) {
    case PayloadSource::lines: return payloads;
    case PayloadSource::file: files = config.files; break;
    case PayloadSource::whole_input: files = {"-"}; break;
    case PayloadSource::message:
    case PayloadSource::empty: payloads.push_back(mqtt::SharedBytes::take(config.message)); break;
  }
  for (const std::string& file : files) {
    auto content = read_file(file, mqtt::remaining_length_max);
    if (!content) return std::unexpected(content.error());
    payloads.push_back(mqtt::SharedBytes::take(std::move(*content)));
  }
  return payloads;
}

class Publisher final : mqtt::ClientHandler {
 public:
  Publisher(mqtt::net::Loop& loop, const PubConfig& config, ClientSetup setup,
            std::vector<mqtt::SharedBytes> payloads, mqtt::TimePoint started)
      : loop_{loop},
        config_{config},
        started_{started},
        payloads_{std::move(payloads)},
        diag_{"mqpub", config.connection.log},
        where_{where_of(config.connection, setup)},
        ends_session_{setup.ends_session},
        signals_{loop_,
                 {.on_stop = [this] { leave(ExitCode::interrupted); },
                  .on_statistics = [this] { diag_.info(account_.text()); }}},
        deadline_{loop_, [this] { on_deadline(); }},
        client_{loop_, std::move(setup.options), *this},
        packet_log_{diag_, client_.session()} {}

  ExitCode run() {
    open_feed();
    if (config_.deadline) deadline_.set(started_ + *config_.deadline);
    loop_.set_coalescing(std::chrono::microseconds{50});  // shorter than a server's 20 acknowledgements take
    client_.start();
    loop_.run();
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    return exit_code_;
  }

 private:
  // The feed's side.

  void open_feed() {
    if (config_.source != PayloadSource::lines) {
      repeat_ = std::make_unique<RepeatFeed>(loop_, config_.repeat * payloads_.size(), config_.repeat_delay,
                                             RepeatFeed::Callbacks{.has_room = [this] { return has_room(); },
                                                                   .publish = [this] { publish_next(); },
                                                                   .on_due = [this] { pump(); }});
      return;
    }
    lines_ = std::make_unique<LineFeed>(
        loop_, LineFeed::Callbacks{.has_room = [this] { return has_room(); },
                                   .publish = [this](mqtt::Bytes line) { publish({line, nullptr}); },
                                   .on_end = [this] { finish_if_done(); },
                                   .on_error = [this](const mqtt::Error& error) { fail_locally(error); }});
  }

  void publish_next() {
    publish(payloads_[next_payload_]);
    next_payload_ = (next_payload_ + 1) % payloads_.size();
  }

  [[nodiscard]] bool has_room() {
    if (leaving_ || !client_.connected() || client_.unsent() >= unsent_max_bytes) return false;
    if (config_.qos == QoS::at_most_once) return true;
    return client_.session().send_quota() > 0 && account_.in_flight_bytes() < in_flight_max_bytes;
  }

  void publish(const mqtt::SharedBytes& payload) {
    const mqtt::PublishView header{.qos = config_.qos,
                                   .retain = config_.retain,
                                   .topic = config_.topic,
                                   .properties = config_.connection.properties.at(PropertyPlace::publish),
                                   .payload = {}};
    const auto id = client_.session().publish(loop_.now(), header, payload);
    if (!id) {
      account_.refused_here();
      return diag_.error(cannot_publish(config_.topic, id.error()));
    }
    account_.sent(*id, payload.bytes.size());
    client_.flush();
  }

  void pump() {
    if (lines_) lines_->pump();
    if (repeat_) repeat_->pump();
    finish_if_done();
  }

  [[nodiscard]] bool all_fed() const { return lines_ ? lines_->at_end() : repeat_->at_end(); }

  void finish_if_done() {
    if (!all_fed() || account_.unacked() > 0 || !client_.connected() || !confirmed()) return;
    leave(account_.rejected() > 0 ? ExitCode::publish_rejected : ExitCode::ok);
  }

  /// QoS 0 has no answer of its own. On plain TCP an orderly end tells that the server has read it all;
  /// where our own farewell may provoke a reset (TLS, WebSocket), or with --confirm, a PINGRESP does.
  [[nodiscard]] bool confirmed() {
    const bool wanted = config_.confirm || config_.connection.transport != mqtt::Transport::tcp;
    if (!wanted || config_.qos != QoS::at_most_once || account_.sent() == 0 || pong_seen_) return true;
    if (!std::exchange(ping_sent_, true) && client_.session().ping(loop_.now())) client_.flush();
    return false;
  }

  void on_pong() override {
    pong_seen_ = ping_sent_;
    finish_if_done();
  }

  void fail_locally(const mqtt::Error& error) {
    diag_.error(local_io_failed(error));
    leave(ExitCode::local_io);
  }

  // The connection's side.

  void on_connack(const mqtt::ConnackView& connack) override {
    if (mqtt::is_error(connack.reason)) return;
    where_.version = client_.session().version();
    ping_sent_ = false;
    pump();
  }

  void on_message(const mqtt::PublishView&, mqtt::AckToken) override {}  // nothing was subscribed to

  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override {
    const bool accepted = !mqtt::is_error(reason);
    account_.answered(id, reason);
    if (!accepted) diag_.error(publish_rejected(config_.topic, reason, properties));
    pump();
  }

  void on_output_drained() override { pump(); }

  void on_lost(const Ending& ending, mqtt::Duration delay) override {
    diag_.warning(describe_retry(ending, where_, delay));
  }

  void on_session_left(const Ending& ending) override {
    diag_.debug("the server may keep the session: " + describe(ending, where_).text);
  }

  void on_ended(const Ending& ending) override {
    loop_.stop();
    // A farewell that does not get through matters to nobody once everything is acknowledged.
    const bool confirmed = leaving_ && config_.qos != QoS::at_most_once && account_.unacked() == 0;
    if (ending.kind != Ending::Kind::finished && !confirmed) return fail(ending);
    if (lost_at_the_end(ending)) return fail_unread(ending);
    if (lines_ && account_.rejected() + account_.unacked() > 0 && !accounted_) diag_.error(account_.text());
  }

  void fail(const Ending& ending) {
    if (exit_code_ == ExitCode::ok) exit_code_ = exit_code_for(ending);
    Sentence sentence = describe(ending, where_);
    if (lines_ && ending.had_connected) sentence.text += "; " + account_.text();
    diag_.error(sentence);
  }

  void fail_unread(const Ending& ending) {
    exit_code_ = ExitCode::connection_lost;
    diag_.error({"the connection broke before the server had read everything: " + ending.error.context,
                 "with -q 1 the server confirms each message"});
  }

  /// A reset while the server still had QoS 0 messages to read: they may be gone. Only of plain TCP can
  /// that be told: TLS and WebSocket write a farewell of their own, which a server that has already
  /// closed answers with a reset, too.
  [[nodiscard]] bool lost_at_the_end(const Ending& ending) const {
    return exit_code_ == ExitCode::ok && config_.qos == QoS::at_most_once && account_.sent() > 0 &&
           config_.connection.transport == mqtt::Transport::tcp && ending.error.code == ECONNRESET;
  }

  void on_deadline() {
    if (leaving_) return;
    diag_.error(deadline_reached(*config_.deadline, account_.text()));
    accounted_ = true;
    leave(account_.unacked() > 0 ? ExitCode::publish_rejected : ExitCode::deadline);
  }

  void leave(ExitCode code) {
    if (leaving_) return;
    leaving_ = true;
    exit_code_ = code;
    deadline_.cancel();
    if (lines_) lines_->stop();
    if (repeat_) repeat_->stop();
    client_.disconnect(farewell_reason(), farewell_properties());
  }

  [[nodiscard]] mqtt::ReasonCode farewell_reason() const {
    const bool with_will = signals_.stop_signal() != 0 && config_.connection.will_on_exit;
    return with_will ? mqtt::ReasonCode::disconnect_with_will : mqtt::ReasonCode::normal_disconnection;
  }

  mqtt::PropertiesView farewell_properties() {
    if (client_.session().version() != mqtt::Version::v5) return {};
    farewell_ = config_.connection.properties.at(PropertyPlace::disconnect);
    const bool given = farewell_.view().find(mqtt::PropertyId::session_expiry_interval).has_value();
    if (ends_session_ && !given) farewell_.add(mqtt::PropertyId::session_expiry_interval, 0);
    return farewell_;
  }

  mqtt::net::Loop& loop_;
  const PubConfig& config_;
  mqtt::TimePoint started_;
  std::vector<mqtt::SharedBytes> payloads_;  // of repeat_, in turn
  std::size_t next_payload_ = 0;
  Diag diag_;
  Where where_;
  bool ends_session_;
  Signals signals_;
  mqtt::net::Timer deadline_;
  mqtt::Client client_;
  PacketLog packet_log_;
  std::unique_ptr<LineFeed> lines_;
  std::unique_ptr<RepeatFeed> repeat_;
  Account account_;
  mqtt::Properties farewell_;
  ExitCode exit_code_ = ExitCode::ok;
  bool leaving_ = false;
  bool ping_sent_ = false;
  bool pong_seen_ = false;
  bool accounted_ = false;  // the account has been written
};

}  // namespace

ExitCode publish(const PubConfig& config) {
  Diag diag{"mqpub", config.connection.log};
  auto setup = make_client_setup(config.connection, "mqpub");
  if (!setup) {
    diag.error(setup.error().sentence);
    return setup.error().code;
  }
  if (!setup->options.session.send_window) setup->options.session.send_window = in_flight_max;
  if (config.qos == QoS::at_most_once) setup->options.own_session = false;  // nothing is sent again
  // Messages that a kept session brings are for a subscriber: they stay unacknowledged.
  setup->options.session.ack_mode = mqtt::AckMode::manual;
  mqtt::net::Loop loop;
  const mqtt::TimePoint started = loop.now();
  // Before the loop and its signal handlers: a FIFO that nobody writes to can be interrupted.
  auto payloads = read_payloads(config);
  if (!payloads) {
    diag.error(local_io_failed(payloads.error()));
    return ExitCode::local_io;
  }
  return Publisher{loop, config, std::move(*setup), std::move(*payloads), started}.run();
}

}  // namespace mq
