#include "mqreq/requester.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "messages/undecoded_warning.hpp"
#include "mqreq/response_topic.hpp"

namespace mq {
namespace {

using mqtt::Ending;
using mqtt::PropertyId;
using mqtt::PropertyPlace;
using mqtt::Version;

/// Nothing of our own comes back, and nothing stale: a responder may use the topic that we listen on, and
/// somebody may have left a retained message there.
mqtt::SubscriptionOptions subscription_options(const ReqConfig& config) {
  return {.qos = config.qos,
          .no_local = true,
          .retain_as_published = config.retain_as_published,
          .retain_handling = mqtt::RetainHandling::do_not_send};
}

}  // namespace

Requester::Requester(mqtt::net::Loop& loop, const ReqConfig& config, ClientSetup setup,
                     mqtt::SharedBytes payload, RequestSecrets secrets)
    : loop_{loop},
      config_{config},
      payload_{std::move(payload)},
      secrets_{std::move(secrets)},
      diag_{"mqreq", config.connection.log},
      where_{where_of(config.connection, setup)},
      farewell_{config.connection, setup},
      signals_{loop_,
               {.on_stop = [this] { ended_ || leaving_ ? say_goodbye() : leave(ExitCode::interrupted); },
                .on_statistics = [this] { diag_.info(replies_.progress()); }}},
      deadline_{loop_, [this] { on_deadline(); }},
      turn_end_{loop_, [this] { at_turn_end(); }},
      output_{loop_,
              {.on_drained = [this] { on_drained(); },
               .on_closed = [this] { on_output_over(ExitCode::ok); },
               .on_error = [this](const mqtt::Error& error) { fail_locally(error); }}},
      messages_{config.output, output_.is_terminal() ? PlainEscape::for_terminal : PlainEscape::exact,
                UndecodedWarning{diag_}},
      subscriber_{plan_, diag_},
      lifecycle_{diag_},
      replies_{config.replies},
      client_{loop_, std::move(setup.options), *this},
      packet_log_{diag_, client_.session()},
      response_topic_{config.response_topic} {
  plan_.subscribe_properties = config.connection.properties.at(PropertyPlace::subscribe);
}

ExitCode Requester::run() {
  if (config_.deadline) {
    waits_ = true;
    if (*config_.deadline > mqtt::Duration::zero()) deadline_.set(loop_.now() + *config_.deadline);
  }
  messages_.begin(output_.buffer());
  turn_end_.request();
  client_.start();
  loop_.run();
  if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
  return exit_code_;
}

// Asking.

void Requester::on_connack(const mqtt::ConnackView& connack) {
  if (mqtt::is_error(connack.reason) || leaving_) return;
  where_.version = client_.session().version();
  lifecycle_.connected(where_, client_, client_.session());
  if (!std::exchange(waits_, true)) deadline_.set(loop_.now() + default_wait);
  const bool still_subscribed = subscribed_ && client_.session().limits().session_present;
  if (still_subscribed) return send_request();
  subscribed_ = false;
  choose_response_topic(connack);
  warn_of_old_version();
  plan_.subscriptions = {{.filter = response_topic_, .options = subscription_options(config_)}};
  judge_subscription(subscriber_.subscribe(client_.session(), loop_.now()));
}

/// Once: a reply to the first request may come after a reconnect.
void Requester::choose_response_topic(const mqtt::ConnackView& connack) {
  if (!response_topic_.empty()) return;
  const auto information = connack.properties.text(PropertyId::response_information);
  response_topic_ = make_response_topic(information.value_or(std::string_view{}),
                                        client_.session().client_id(), secrets_.topic);
}

/// Who asked for the version knows what it cannot do.
void Requester::warn_of_old_version() {
  if (where_.version == Version::v5 || config_.connection.version || request_ != Request::waiting) return;
  diag_.warning(fmt::format("{} does not speak MQTT 5: any message on '{}' is taken for the reply",
                            where_.name, response_topic_));
}

void Requester::on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) {
  judge_subscription(subscriber_.on_subscribed(id, suback));
}

void Requester::judge_subscription(Subscriber::Outcome outcome) {
  if (outcome == Subscriber::Outcome::waiting) return;
  lifecycle_.subscribed(subscriber_.answers());
  if (outcome == Subscriber::Outcome::refused) return leave(ExitCode::subscribe_refused);
  subscribed_ = true;
  send_request();
}

mqtt::Properties Requester::request_properties() {
  mqtt::Properties properties = config_.connection.properties.at(PropertyPlace::publish);
  if (where_.version != Version::v5) return properties;
  properties.add(PropertyId::response_topic, std::string_view{response_topic_});
  const auto given = properties.view().text(PropertyId::correlation_data);
  if (given)
    secrets_.correlation = *given;
  else
    properties.add(PropertyId::correlation_data, std::string_view{secrets_.correlation});
  return properties;
}

void Requester::send_request() {
  if (request_ != Request::waiting) return;
  const mqtt::Properties properties = request_properties();
  const mqtt::PublishView header{
      .qos = config_.qos, .topic = config_.topic, .properties = properties, .payload = {}};
  const auto id = client_.session().publish(loop_.now(), header, payload_);
  if (!id) {
    diag_.error(cannot_publish(config_.topic, id.error()));
    return leave(ExitCode::publish_rejected);
  }
  const bool v5 = where_.version == Version::v5;
  replies_.expect({.topic = response_topic_,
                   .correlation = v5 ? std::optional{secrets_.correlation} : std::nullopt,
                   .retained_is_live = v5 && config_.retain_as_published});
  request_ = Request::queued;
  client_.flush();
}

void Requester::on_output_drained() {
  if (request_ != Request::queued || !client_.connected()) return;
  request_ = Request::sent;
  if (!sent_at_) sent_at_ = loop_.refresh_now();
}

void Requester::on_published(mqtt::PacketId, mqtt::ReasonCode reason, mqtt::PropertiesView properties) {
  request_ = Request::settled;
  if (leaving_) return;
  if (mqtt::is_error(reason)) {
    diag_.error(publish_rejected(config_.topic, reason, properties));
    return leave(ExitCode::publish_rejected);
  }
  if (reason == mqtt::ReasonCode::no_matching_subscribers)
    diag_.warning(
        {fmt::format("nobody subscribes to '{}' (0x10)", config_.topic), "is the responder running?"});
}

// Receiving and writing.

void Requester::on_message(const mqtt::PublishView& message, mqtt::AckToken token) {
  if (leaving_ || replies_.complete()) return;  // unacknowledged: the server keeps it
  const ReplyVerdict verdict = replies_.judge(message);
  if (verdict == ReplyVerdict::reply)
    show(message);
  else
    diag_.debug(fmt::format("left out a message on '{}': {}", message.topic, to_string(verdict)));
  pending_acks_.add(output_.position(), token);
  turn_end_.request();
}

void Requester::show(const mqtt::PublishView& message) {
  messages_.write(output_.buffer(), message, {Diag::system_clock(), latency()});
  if (config_.output.line_buffered) output_.flush();
  if (output_.blocked()) client_.pause_reading();
}

std::optional<mqtt::Duration> Requester::latency() {
  if (!sent_at_) return std::nullopt;
  return std::max(loop_.now() - *sent_at_, mqtt::Duration::zero());
}

/// One write of all that this turn brought; then, and only then, the acknowledgements.
void Requester::at_turn_end() {
  output_.flush();
  acknowledge_written();
  if (replies_.complete() && output_.pending() == 0) leave(ExitCode::ok);
}

void Requester::acknowledge_written() {
  if (output_.failed()) return;
  pending_acks_.release(output_.written(), [this](mqtt::AckToken token) {
    // A token of a lost connection needs no answer: the server sends the message again.
    (void)client_.session().ack(loop_.now(), token);
  });
  client_.flush();
}

void Requester::on_drained() {
  if (ended_ || leaving_) return say_goodbye();
  client_.resume_reading();
  turn_end_.request();
}

/// Nothing can be written any more.
void Requester::on_output_over(ExitCode code) {
  if (ended_ || leaving_) return say_goodbye();
  leave(code);
}

void Requester::fail_locally(const mqtt::Error& error) {
  diag_.error(local_io_failed(error));
  exit_code_ = ExitCode::local_io;
  on_output_over(ExitCode::local_io);
}

// Ending.

void Requester::on_lost(const Ending& ending, mqtt::Duration delay) {
  lifecycle_.reconnecting(ending, where_, delay);
  if (config_.qos != mqtt::QoS::at_most_once) return;  // the session sends it again
  if (request_ == Request::queued) request_ = Request::waiting;
  if (request_ != Request::sent) return;
  request_ = Request::settled;
  diag_.warning({"the request is not sent again: at QoS 0 nobody knows whether it arrived",
                 "-q 1 makes the server acknowledge it"});
}

void Requester::on_renewal_failed(const mqtt::Error& error, mqtt::Duration delay) {
  diag_.warning(renewal_failed(error, delay));
}

void Requester::on_session_left(const Ending& ending) {
  diag_.debug("the server may keep the session: " + describe(ending, where_).text);
}

void Requester::on_ended(const Ending& ending) {
  ended_ = true;
  // A server may close behind the last reply.
  if (ending.kind != Ending::Kind::finished && !leaving_ && !replies_.complete()) {
    exit_code_ = exit_code_for(ending);
    lifecycle_.lost(ending, where_);
    summarize();
  }
  // What has been received is written, for as long as somebody is there to read it.
  output_.flush();
  if (!output_waits()) loop_.stop();
}

bool Requester::output_waits() const {
  return output_.pending() > 0 && !output_.failed() && signals_.stop_signal() == 0 && !gave_up_;
}

void Requester::on_deadline() {
  if (leaving_) return give_up_output();
  if (ended_) return leave(exit_code_);  // only the output is waited for
  at_turn_end();
  if (!leaving_) give_up_waiting();
}

void Requester::give_up_waiting() {
  const mqtt::Duration deadline = config_.deadline.value_or(default_wait);
  if (request_ == Request::waiting) {
    diag_.error(deadline_reached(deadline, "the request was not sent"));
    if (!client_.has_connected()) return leave(ExitCode::refused);
  } else {
    Sentence sentence = deadline_reached(deadline, replies_.progress());
    if (replies_.uncorrelated() > 0)
      sentence.hint =
          "a responder must copy the Correlation Data of the request (-V 311 -e TOPIC does without)";
    diag_.error(sentence);
  }
  leave(client_.connected() ? ExitCode::deadline : ExitCode::connection_lost);
}

void Requester::give_up_output() {
  gave_up_ = true;
  exit_code_ = ExitCode::local_io;
  diag_.error(output_blocked(output_.pending()));
  say_goodbye();
}

/// The last word of all.
void Requester::summarize() {
  if (exit_code_ == ExitCode::ok && replies_.left_out() > 0) diag_.info(replies_.progress());
  lifecycle_.summary(exit_code_, [this](JsonWriter& json) {
    json.field("received", replies_.taken());
    json.field("left_out", replies_.left_out());
  });
}

void Requester::leave(ExitCode code) {
  if (leaving_) return;
  leaving_ = true;
  exit_code_ = code;
  deadline_.cancel();
  if (!ended_) summarize();
  output_.flush();
  acknowledge_written();
  if (output_waits()) return deadline_.set(loop_.now() + output_grace);
  say_goodbye();
}

void Requester::say_goodbye() {
  if (ended_) return loop_.stop();
  deadline_.cancel();
  acknowledge_written();
  client_.resume_reading();  // to see the server's end
  client_.disconnect(farewell_.reason(signals_.stop_signal()),
                     farewell_.properties(client_.session().version()));
}

}  // namespace mq
