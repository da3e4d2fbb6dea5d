#include "mqsub/app.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "common/packet_log.hpp"
#include "common/signals.hpp"
#include "common/stdio.hpp"
#include "mqsub/pending_acks.hpp"
#include "mqsub/subscriber.hpp"

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::PropertyId;
using mqtt::PropertyPlace;

PlainFormat plain_format(const SubConfig& config, bool to_terminal) {
  return {.content = config.with_topic ? PlainContent::topic_and_payload : PlainContent::payload,
          .escape = to_terminal ? PlainEscape::for_terminal : PlainEscape::exact,
          .separator = config.no_separator ? "" : "\n"};
}

class Receiver final : mqtt::ClientHandler {
 public:
  Receiver(const SubConfig& config, ClientSetup setup)
      : config_{config},
        diag_{"mqsub", config.connection.log},
        where_{where_of(config.connection, setup)},
        ends_session_{setup.ends_session},
        signals_{loop_,
                 {.on_stop = [this] { leave(ExitCode::interrupted); },
                  .on_statistics = [this] { diag_.info(progress()); }}},
        deadline_{loop_, [this] { on_deadline(); }},
        turn_end_{loop_, [this] { at_turn_end(); }},
        output_{loop_,
                {.on_drained = [this] { on_drained(); },
                 .on_closed = [this] { leave(ExitCode::ok); },
                 .on_error = [this](const mqtt::Error& error) { fail_locally(error); }}},
        format_{plain_format(config, output_.is_terminal())},
        lines_{config.output == SubOutput::json_parsed ? JsonPayload::parse : JsonPayload::text},
        subscriber_{config.filters, config.subscription,
                    config.connection.properties.at(PropertyPlace::subscribe), diag_},
        client_{loop_, std::move(setup.options), *this},
        packet_log_{diag_, client_.session()} {}

  ExitCode run() {
    if (config_.deadline) deadline_.set(loop_.now() + *config_.deadline);
    client_.start();
    loop_.run();
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    return exit_code_;
  }

 private:
  void on_connack(const mqtt::ConnackView& connack) override {
    if (mqtt::is_error(connack.reason)) return;
    const bool still_subscribed = subscribed_ && client_.session().limits().session_present;
    if (still_subscribed) return;
    judge(subscriber_.subscribe(client_.session(), loop_.now()));
  }

  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override {
    judge(subscriber_.on_subscribed(id, suback, config_.allow_partial));
  }

  void judge(Subscriber::Outcome outcome) {
    if (outcome == Subscriber::Outcome::granted) subscribed_ = true;
    if (outcome == Subscriber::Outcome::refused) leave(ExitCode::subscribe_refused);
  }

  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override {
    if (leaving_ || goal_met()) return;  // not acknowledged: the server keeps it
    if (!(config_.skip_retained && message.retain)) write(message);
    pending_acks_.add(output_.position(), token);
    turn_end_.request();
  }

  void write(const mqtt::PublishView& message) {
    ++received_;
    if (config_.output == SubOutput::plain)
      append_plain(output_.buffer(), message, format_);
    else
      lines_.write(output_.buffer(), message, Diag::system_clock());
    if (output_.blocked()) client_.pause_reading();
  }

  [[nodiscard]] bool goal_met() const { return config_.count && received_ >= *config_.count; }

  /// One write of all that this turn brought; then, and only then, the acknowledgements.
  void at_turn_end() {
    output_.flush();
    acknowledge_written();
    if (goal_met() && output_.pending() == 0) leave(ExitCode::ok);
  }

  void acknowledge_written() {
    if (output_.failed()) return;
    pending_acks_.release(output_.written(), [this](mqtt::AckToken token) {
      // A token of a lost connection needs no answer: the server sends the message again.
      (void)client_.session().ack(loop_.now(), token);
    });
    client_.flush();
  }

  void on_drained() {
    client_.resume_reading();
    turn_end_.request();
  }

  void on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) override {
  }  // nothing is published

  void on_lost(const Ending& ending, mqtt::Duration delay) override {
    diag_.warning(describe_retry(ending, where_, delay));
  }

  void on_ended(const Ending& ending) override {
    loop_.stop();
    if (ending.kind == Ending::Kind::finished || leaving_) return;
    exit_code_ = exit_code_for(ending);
    diag_.error(describe(ending, where_));
  }

  void on_deadline() {
    if (leaving_) return;
    at_turn_end();
    if (leaving_) return;
    if (!config_.count) return leave(ExitCode::ok);
    diag_.error(deadline_reached(*config_.deadline, progress()));
    leave(ExitCode::deadline);
  }

  [[nodiscard]] std::string progress() const {
    return config_.count ? fmt::format("{} of {} messages received", received_, *config_.count)
                         : fmt::format("{} messages received", received_);
  }

  void fail_locally(const mqtt::Error& error) {
    diag_.error(local_io_failed(error));
    leave(ExitCode::local_io);
  }

  void leave(ExitCode code) {
    if (leaving_) return;
    leaving_ = true;
    exit_code_ = code;
    deadline_.cancel();
    output_.flush();
    acknowledge_written();
    client_.resume_reading();  // to see the server's end
    client_.disconnect(farewell_reason(), farewell_properties());
  }

  [[nodiscard]] mqtt::ReasonCode farewell_reason() const {
    const bool with_will = signals_.stop_signal() != 0 && config_.connection.will_on_exit;
    return with_will ? mqtt::ReasonCode::disconnect_with_will : mqtt::ReasonCode::normal_disconnection;
  }

  mqtt::PropertiesView farewell_properties() {
    if (client_.session().version() != mqtt::Version::v5) return {};
    farewell_ = config_.connection.properties.at(PropertyPlace::disconnect);
    if (ends_session_) farewell_.set(PropertyId::session_expiry_interval, 0);
    return farewell_;
  }

  const SubConfig& config_;
  Diag diag_;
  Where where_;
  bool ends_session_;
  mqtt::net::Loop loop_;
  Signals signals_;
  mqtt::net::Timer deadline_;
  mqtt::net::TurnEnd turn_end_;
  Stdout output_;
  PlainFormat format_;
  MessageLineWriter lines_;
  Subscriber subscriber_;
  mqtt::Client client_;
  PacketLog packet_log_;
  PendingAcks pending_acks_;
  mqtt::Properties farewell_;
  std::uint64_t received_ = 0;
  ExitCode exit_code_ = ExitCode::ok;
  bool subscribed_ = false;
  bool leaving_ = false;
};

/// With -C the server shall not send more than is still wanted: what it has in flight beyond that
/// would have to be delivered again.
void cap_receive_maximum(mqtt::ConnectOptions& connect, const SubConfig& config) {
  const bool given = connect.properties.view().find(PropertyId::receive_maximum).has_value();
  if (!config.count || given || connect.version != mqtt::Version::v5) return;
  constexpr std::uint64_t most = mqtt::receive_maximum_default;
  connect.properties.add(PropertyId::receive_maximum,
                         static_cast<std::uint32_t>(std::min(*config.count, most)));
}

}  // namespace

ExitCode subscribe(const SubConfig& config) {
  auto setup = make_client_setup(config.connection, "mqsub");
  if (!setup) {
    Diag{"mqsub", config.connection.log}.error(setup.error().sentence);
    return setup.error().code;
  }
  setup->options.session.ack_mode = mqtt::AckMode::manual;
  cap_receive_maximum(setup->options.connect, config);
  return Receiver{config, std::move(*setup)}.run();
}

}  // namespace mq
