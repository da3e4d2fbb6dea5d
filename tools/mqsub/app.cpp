#include "mqsub/app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "common/client_setup.hpp"
#include "common/farewell.hpp"
#include "common/packet_log.hpp"
#include "common/signals.hpp"
#include "messages/lifecycle.hpp"
#include "messages/pending_acks.hpp"
#include "mqsub/executor.hpp"
#include "mqsub/retained_remover.hpp"
#include "mqsub/snapshot.hpp"
#include "mqsub/sub_output.hpp"

namespace mq {
namespace {

using mqtt::Ending;

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

class Receiver final : mqtt::ClientHandler {
 public:
  /// `sinks` are what of `config` had to be opened.
  Receiver(const SubConfig& config, ClientSetup setup, Sinks sinks)
      : config_{config},
        diag_{"mqsub", config.connection.log},
        where_{where_of(config.connection, setup)},
        farewell_{config.connection, setup},
        signals_{
            loop_,
            {.on_stop = [this] { on_signal(); }, .on_statistics = [this] { diag_.info(goal_.progress()); }}},
        deadline_{loop_, [this] { on_deadline(); }},
        idle_{loop_, [this] { on_idle_timer(); }},
        turn_end_{loop_, [this] { at_turn_end(); }},
        output_{loop_,
                config,
                std::move(sinks),
                diag_,
                {.on_drained = [this] { on_drained(); },
                 .on_closed = [this] { on_output_over(ExitCode::ok); },
                 .on_error = [this](const mqtt::Error& error) { fail_locally(error); },
                 .on_pending = [this] { turn_end_.request(); }}},
        selection_{config.selection, random_seed()},
        goal_{config.ending},
        subscriber_{config.plan, diag_},
        lifecycle_{diag_},
        snapshot_{loop_, {.ping = [this] { ping(); }, .on_done = [this] { on_nothing_more(); }}},
        remover_{config.dry_run ? RetainedRemover::Mode::dry_run : RetainedRemover::Mode::remove, diag_},
        executor_{
            loop_,
            config.exec,
            diag_,
            {.acknowledge = [this](mqtt::AckToken token, mqtt::ReasonCode code) { acknowledge(token, code); },
             .on_room = [this] { on_executor_room(); },
             .on_fault = [this](const Sentence& sentence) { on_executor_fault(sentence); }}},
        client_{loop_, std::move(setup.options), *this},
        packet_log_{diag_, client_.session()} {}

  ExitCode run() {
    if (config_.ending.deadline) deadline_.set(loop_.now() + *config_.ending.deadline);
    if (config_.events)
      lifecycle_.set_mirror(
          [this](std::string_view name, const Diag::Fields& fields) { output_.event(name, fields); });
    output_.begin();
    loop_.set_coalescing(std::chrono::microseconds{500});  // one turn for many messages of a stream
    client_.start();
    loop_.run();
    output_.discard_recording();
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    return exit_code_;
  }

 private:
  // Subscribing.

  void on_connack(const mqtt::ConnackView& connack) override {
    if (mqtt::is_error(connack.reason) || leaving_) return;
    where_.version = client_.session().version();
    lifecycle_.connected(where_, client_, client_.session());
    remover_.pump(client_.session(), loop_.now());
    executor_.pump(client_.session(), loop_.now());
    const bool still_subscribed = subscribed_ && client_.session().limits().session_present;
    if (still_subscribed) return begin_snapshot();
    subscribed_ = false;
    judge(subscriber_.subscribe(client_.session(), loop_.now()));
  }

  void on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) override {
    judge(subscriber_.on_subscribed(id, suback));
  }

  void on_unsubscribed(mqtt::PacketId id, const mqtt::UnsubackView& unsuback) override {
    judge(subscriber_.on_unsubscribed(id, unsuback));
  }

  void judge(Subscriber::Outcome outcome) {
    if (outcome == Subscriber::Outcome::waiting) return;
    lifecycle_.subscribed(subscriber_.answers());
    if (outcome == Subscriber::Outcome::refused) return leave(ExitCode::subscribe_refused);
    subscribed_ = true;
    if (config_.ending.after_subscribing) return leave(ExitCode::ok);
    note_activity();
    begin_snapshot();
  }

  void begin_snapshot() {
    if (config_.selection.snapshot && !nothing_more_) snapshot_.begin();
  }

  /// Behind the acknowledgements of what has come: their room may bring more.
  void ping() {
    at_turn_end();
    if (!leaving_ && client_.session().ping(loop_.now())) client_.flush();
  }

  void on_pong() override { snapshot_.on_pong(); }

  /// The retained messages are complete, or --retained-only met a live one.
  void on_nothing_more() {
    nothing_more_ = true;
    turn_end_.request();
  }

  // Receiving.

  void on_message(const mqtt::PublishView& message, mqtt::AckToken token) override {
    if (leaving_ || complete() || config_.ending.after_subscribing)
      return;  // unacknowledged: the server keeps it
    const Verdict verdict = selection_.judge(message, where_.version, loop_.now());
    if (verdict == Verdict::end) return on_nothing_more();
    if (message.retain) on_retained(message, verdict);
    turn_end_.request();
    if (verdict == Verdict::show) {
      show(message);
      if (executes()) return execute(message, token);
    }
    pending_acks_.add(output_.position(), token);
  }

  [[nodiscard]] bool executes() const { return !config_.exec.command.empty(); }

  void execute(const mqtt::PublishView& message, mqtt::AckToken token) {
    executor_.add(message, token, time_of_turn());
    if (!executor_.wants_more()) client_.pause_reading();
  }

  void acknowledge(mqtt::AckToken token, mqtt::ReasonCode code) {
    // A token of a lost connection needs no answer: the server sends the message again.
    const bool v5 = client_.session().version() == mqtt::Version::v5;
    if (token.needs_ack())
      (void)client_.session().ack(loop_.now(), token, v5 ? code : mqtt::ReasonCode::success);
    client_.flush();
  }

  void on_executor_room() {
    executor_.pump(client_.session(), loop_.now());
    turn_end_.request();
    if (!leaving_ && !ended_ && executor_.wants_more() && !output_.blocked()) client_.resume_reading();
  }

  void on_executor_fault(const Sentence& sentence) {
    if (leaving_ || ended_) return;
    diag_.error(sentence);
    leave(ExitCode::local_io);
  }

  void on_retained(const mqtt::PublishView& message, Verdict verdict) {
    snapshot_.on_retained();
    if (!config_.remove_retained || verdict == Verdict::filtered_out) return;
    remover_.on_retained(message);
    remover_.pump(client_.session(), loop_.now());
  }

  void show(const mqtt::PublishView& message) {
    output_.show(message, time_of_turn());
    goal_.on_shown(message);
    note_activity();
    if (output_.blocked()) client_.pause_reading();
  }

  /// All packets of a turn were read at once.
  [[nodiscard]] WallTime time_of_turn() {
    if (!time_of_turn_) time_of_turn_ = Diag::system_clock();
    return *time_of_turn_;
  }

  /// Nothing that may still come is wanted.
  [[nodiscard]] bool complete() const { return goal_.reached() || nothing_more_; }

  /// One write of all that this turn brought; then, and only then, the acknowledgements.
  void at_turn_end() {
    time_of_turn_.reset();
    output_.flush();
    acknowledge_written();
    if (complete() && output_.pending() == 0 && remover_.idle() && executor_.idle())
      leave_as(goal_.verdict(Goal::Cause::done));
  }

  void acknowledge_written() {
    if (output_.failed()) return;
    pending_acks_.release(output_.written(),
                          [this](mqtt::AckToken token) { acknowledge(token, mqtt::ReasonCode::success); });
    client_.flush();
  }

  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties) override {
    remover_.on_published(id, reason, properties);
    remover_.pump(client_.session(), loop_.now());
    executor_.pump(client_.session(), loop_.now());
    turn_end_.request();
  }

  // Writing.

  void on_drained() {
    if (ended_ || leaving_) return say_goodbye();
    if (executor_.wants_more()) client_.resume_reading();
    turn_end_.request();
  }

  /// Nothing can be written any more.
  void on_output_over(ExitCode code) {
    if (ended_ || leaving_) return say_goodbye();
    leave(code);
  }

  /// The last words on standard output.
  void close_output(ExitCode code) {
    if (std::exchange(output_closed_, true)) return;
    output_.close();
    if (config_.dry_run) diag_.info(remover_.account());
    lifecycle_.summary(code, [this](JsonWriter& json) { json.field("received", goal_.shown()); });
  }

  // The connection's end.

  void on_lost(const Ending& ending, mqtt::Duration delay) override {
    snapshot_.stop();
    lifecycle_.reconnecting(ending, where_, delay);
  }

  void on_renewal_failed(const mqtt::Error& error, mqtt::Duration delay) override {
    diag_.warning(renewal_failed(error, delay));
  }

  void on_session_left(const Ending& ending) override {
    diag_.debug("the server may keep the session: " + describe(ending, where_).text);
  }

  void on_ended(const Ending& ending) override {
    ended_ = true;
    if (ending.kind != Ending::Kind::finished && !leaving_) {
      exit_code_ = exit_code_for(ending);
      lifecycle_.lost(ending, where_);
      close_output(exit_code_);
    }
    // What has been received is written, for as long as somebody is there to read it.
    output_.flush();
    if (!output_waits()) loop_.stop();
  }

  [[nodiscard]] bool output_waits() const {
    return output_.pending() > 0 && !output_.failed() && signals_.stop_signal() == 0 && !gave_up_;
  }

  // Our end.

  void on_signal() {
    if (ended_ || leaving_) return say_goodbye();
    leave(ExitCode::interrupted);
  }

  void on_deadline() {
    if (leaving_) return give_up_output();
    if (ended_) return leave(exit_code_);  // only the output is waited for
    at_turn_end();
    if (leaving_) return;
    if (!subscribed_) {
      diag_.error(deadline_reached(*config_.ending.deadline, "not subscribed yet"));
      return leave(client_.has_connected() ? lost_or(ExitCode::deadline) : ExitCode::refused);
    }
    leave_at_timeout(deadline_reached(*config_.ending.deadline, goal_.progress()));
  }

  void leave_at_timeout(const Sentence& sentence) {
    const bool cut_short =
        (config_.selection.snapshot && !nothing_more_) || !remover_.idle() || !executor_.idle();
    ExitCode code = complete() ? ExitCode::ok : goal_.verdict(Goal::Cause::timeout);
    if (code == ExitCode::ok && cut_short) code = ExitCode::deadline;
    if (code != ExitCode::ok) diag_.error(sentence);
    leave_as(code == ExitCode::ok ? code : lost_or(code));
  }

  [[nodiscard]] ExitCode lost_or(ExitCode code) const {
    return client_.connected() ? code : ExitCode::connection_lost;
  }

  void note_activity() {
    if (!config_.ending.idle_timeout) return;
    if (!last_activity_) idle_.set(loop_.now() + *config_.ending.idle_timeout);
    last_activity_ = loop_.now();
  }

  /// Set once, and again for what is left: messages cost it nothing.
  void on_idle_timer() {
    if (leaving_ || ended_) return;
    const mqtt::TimePoint due = *last_activity_ + *config_.ending.idle_timeout;
    if (loop_.now() < due) return idle_.set(due);
    at_turn_end();
    if (leaving_) return;
    leave_at_timeout(fmt::format("nothing came for {}: {}",
                                 mqtt::format_duration(*config_.ending.idle_timeout), goal_.progress()));
  }

  void give_up_output() {
    gave_up_ = true;
    exit_code_ = ExitCode::local_io;
    diag_.error(output_blocked(output_.pending()));
    say_goodbye();
  }

  void fail_locally(const mqtt::Error& error) {
    diag_.error(local_io_failed(error));
    exit_code_ = ExitCode::local_io;
    on_output_over(ExitCode::local_io);
  }

  /// A retained message that could not be removed, or a difference, outweighs a goal that was met.
  void leave_as(ExitCode code) {
    if (code != ExitCode::ok) return leave(code);
    if (remover_.any_failed()) return leave(ExitCode::publish_rejected);
    if (!output_.commit()) return;  // fail_locally() has been called
    leave(output_.found_difference() ? ExitCode::expectation : ExitCode::ok);
  }

  void leave(ExitCode code) {
    if (leaving_) return;
    leaving_ = true;
    exit_code_ = code;
    deadline_.cancel();
    snapshot_.stop();
    executor_.stop();
    close_output(code);
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
    client_.disconnect(farewell_.reason(signals_.stop_signal()),
                       farewell_.properties(client_.session().version()));
  }

  const SubConfig& config_;
  Diag diag_;
  Where where_;
  Farewell farewell_;
  mqtt::net::Loop loop_;
  Signals signals_;
  mqtt::net::Timer deadline_;
  mqtt::net::Timer idle_;
  mqtt::net::TurnEnd turn_end_;
  SubOutput output_;
  Selection selection_;
  Goal goal_;
  Subscriber subscriber_;
  Lifecycle lifecycle_;
  Snapshot snapshot_;
  RetainedRemover remover_;
  Executor executor_;
  mqtt::Client client_;
  PacketLog packet_log_;
  PendingAcks pending_acks_;
  ExitCode exit_code_ = ExitCode::ok;
  std::optional<WallTime> time_of_turn_;
  std::optional<mqtt::TimePoint> last_activity_;
  bool subscribed_ = false;
  bool nothing_more_ = false;   // is wanted, whatever the goal says
  bool output_closed_ = false;  // the last words were said
  bool leaving_ = false;        // the goodbye is on its way, or waits for the output
  bool gave_up_ = false;        // on the output
  bool ended_ = false;          // the connection
};

}  // namespace

ExitCode subscribe(const SubConfig& config) {
  auto setup = make_client_setup(config.connection, "mqsub");
  if (!setup) {
    Diag{"mqsub", config.connection.log}.error(setup.error().sentence);
    return setup.error().code;
  }
  setup->options.session.ack_mode = mqtt::AckMode::manual;
  const auto at_qos_0 = [](const Subscription& each) { return each.options.qos == mqtt::QoS::at_most_once; };
  if (std::ranges::all_of(config.plan.subscriptions, at_qos_0)) setup->options.own_session = false;
  if (config.ending.count) cap_receive_maximum(setup->options.connect, *config.ending.count);
  auto sinks = open_sinks(config);
  if (!sinks) {
    Diag{"mqsub", config.connection.log}.error(local_io_failed(sinks.error()));
    return ExitCode::local_io;
  }
  return Receiver{config, std::move(*setup), std::move(*sinks)}.run();
}

}  // namespace mq
