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

/// How long, at the end, a reader of standard output may take nothing.
constexpr mqtt::Duration output_grace = std::chrono::seconds{2};

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
                 {.on_stop = [this] { on_signal(); }, .on_statistics = [this] { diag_.info(progress()); }}},
        deadline_{loop_, [this] { on_deadline(); }},
        turn_end_{loop_, [this] { at_turn_end(); }},
        output_{loop_,
                {.on_drained = [this] { on_drained(); },
                 .on_closed = [this] { on_output_over(ExitCode::ok); },
                 .on_error = [this](const mqtt::Error& error) { fail_locally(error); }}},
        format_{plain_format(config, output_.is_terminal())},
        lines_{config.output == SubOutput::json_parsed ? JsonPayload::parse : JsonPayload::text},
        subscriber_{config, diag_},
        client_{loop_, std::move(setup.options), *this},
        packet_log_{diag_, client_.session()} {}

  ExitCode run() {
    if (config_.deadline) deadline_.set(loop_.now() + *config_.deadline);
    loop_.set_coalescing(std::chrono::microseconds{500});  // one turn for many messages of a stream
    client_.start();
    loop_.run();
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    return exit_code_;
  }

 private:
  void on_connack(const mqtt::ConnackView& connack) override {
    if (mqtt::is_error(connack.reason) || leaving_) return;
    where_.version = client_.session().version();
    const bool still_subscribed = subscribed_ && client_.session().limits().session_present;
    if (still_subscribed) return;
    subscribed_ = false;
    judge(subscriber_.subscribe(client_.session(), loop_.now()));
  }

  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override {
    judge(subscriber_.on_subscribed(id, suback));
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
      lines_.write(output_.buffer(), message, time_of_turn());
    if (output_.blocked()) client_.pause_reading();
  }

  /// All packets of a turn were read at once.
  [[nodiscard]] WallTime time_of_turn() {
    if (!time_of_turn_) time_of_turn_ = Diag::system_clock();
    return *time_of_turn_;
  }

  [[nodiscard]] bool goal_met() const { return config_.count && received_ >= *config_.count; }

  /// One write of all that this turn brought; then, and only then, the acknowledgements.
  void at_turn_end() {
    time_of_turn_.reset();
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
    if (ended_ || leaving_) return say_goodbye();
    client_.resume_reading();
    turn_end_.request();
  }

  /// Nothing can be written any more.
  void on_output_over(ExitCode code) {
    if (ended_ || leaving_) return say_goodbye();
    leave(code);
  }

  // Nothing is published.
  void on_published(mqtt::PacketId, mqtt::ReasonCode, mqtt::PropertiesView) override {}

  void on_lost(const Ending& ending, mqtt::Duration delay) override {
    diag_.warning(describe_retry(ending, where_, delay));
  }

  void on_session_left(const Ending& ending) override {
    diag_.debug("the server may keep the session: " + describe(ending, where_).text);
  }

  void on_ended(const Ending& ending) override {
    ended_ = true;
    if (ending.kind != Ending::Kind::finished && !leaving_) {
      exit_code_ = exit_code_for(ending);
      diag_.error(describe(ending, where_));
    }
    // What has been received is written, for as long as somebody is there to read it.
    output_.flush();
    if (!output_waits()) loop_.stop();
  }

  [[nodiscard]] bool output_waits() const {
    return output_.pending() > 0 && !output_.failed() && signals_.stop_signal() == 0 && !gave_up_;
  }

  void on_signal() {
    if (ended_ || leaving_) return say_goodbye();
    leave(ExitCode::interrupted);
  }

  void on_deadline() {
    if (leaving_) return give_up_output();
    if (ended_) return leave(exit_code_);  // only the output is waited for
    at_turn_end();
    if (leaving_) return;
    if (goal_met() || (subscribed_ && !config_.count)) return leave(ExitCode::ok);
    diag_.error(deadline_reached(*config_.deadline, subscribed_ ? progress() : "not subscribed yet"));
    leave(exit_code_at_deadline());
  }

  [[nodiscard]] ExitCode exit_code_at_deadline() const {
    if (!client_.has_connected()) return ExitCode::refused;
    return client_.connected() ? ExitCode::deadline : ExitCode::connection_lost;
  }

  void give_up_output() {
    gave_up_ = true;
    exit_code_ = ExitCode::local_io;
    diag_.error(fmt::format("standard output is blocked: {} octets of received messages were not written",
                            output_.pending()));
    say_goodbye();
  }

  [[nodiscard]] std::string progress() const {
    return config_.count ? fmt::format("{} of {} messages received", received_, *config_.count)
                         : fmt::format("{} messages received", received_);
  }

  void fail_locally(const mqtt::Error& error) {
    diag_.error(local_io_failed(error));
    exit_code_ = ExitCode::local_io;
    on_output_over(ExitCode::local_io);
  }

  void leave(ExitCode code) {
    if (leaving_) return;
    leaving_ = true;
    exit_code_ = code;
    deadline_.cancel();
    output_.flush();
    acknowledge_written();
    if (output_waits()) return deadline_.set(loop_.now() + output_grace);
    say_goodbye();
  }

  void say_goodbye() {
    if (ended_) return loop_.stop();
    deadline_.cancel();
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
    const bool given = farewell_.view().find(PropertyId::session_expiry_interval).has_value();
    if (ends_session_ && !given) farewell_.add(PropertyId::session_expiry_interval, 0);
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
  std::optional<WallTime> time_of_turn_;
  bool subscribed_ = false;
  bool leaving_ = false;  // the goodbye is on its way, or waits for the output
  bool gave_up_ = false;  // on the output
  bool ended_ = false;    // the connection
};

/// With -C the server shall not send more than is still wanted: what it has in flight beyond that
/// would have to be delivered again.
void cap_receive_maximum(mqtt::ConnectOptions& connect, const SubConfig& config) {
  if (!config.count || connect.version != mqtt::Version::v5) return;
  const std::uint64_t allowed =
      connect.properties.view().number_or(PropertyId::receive_maximum, mqtt::receive_maximum_default);
  connect.properties.set(PropertyId::receive_maximum,
                         static_cast<std::uint32_t>(std::min(*config.count, allowed)));
}

}  // namespace

ExitCode subscribe(const SubConfig& config) {
  auto setup = make_client_setup(config.connection, "mqsub");
  if (!setup) {
    Diag{"mqsub", config.connection.log}.error(setup.error().sentence);
    return setup.error().code;
  }
  setup->options.session.ack_mode = mqtt::AckMode::manual;
  if (config.subscription.qos == mqtt::QoS::at_most_once) setup->options.own_session = false;
  cap_receive_maximum(setup->options.connect, config);
  return Receiver{config, std::move(*setup)}.run();
}

}  // namespace mq
