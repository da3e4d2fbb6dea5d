#include "mqspy/cmd_replay.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/open_stream.hpp>
#include <mqtt/util/chunk.hpp>

#include "common/diag.hpp"
#include "common/sentences.hpp"
#include "common/signals.hpp"
#include "mqspy/outputs.hpp"
#include "mqspy/recording_file.hpp"
#include "mqspy/replay.hpp"
#include "mqspy/wall_clock.hpp"

namespace mq::spy {
namespace {

using mqtt::FlowClose;
using mqtt::Sender;

/// For the server to close its side, too.
constexpr mqtt::Duration closing_time = std::chrono::seconds{1};
/// Enough to fill a socket's buffer in one call.
constexpr std::size_t written_parts = 16;

/// Shows what goes by, and lets the replay look at it.
class ReplaySink final : public RecordSink {
 public:
  ReplaySink(RecordSink& shown, Replay& replay) : shown_{shown}, replay_{replay} {}

  void on_open(const OpenRecord& record) override {
    link_ = record.link;
    shown_.on_open(record);
  }
  void on_packet(const PacketRecord& record) override {
    shown_.on_packet(record);
    replay_.on_packet(record);
  }
  void on_close(const CloseRecord& record) override { shown_.on_close(record); }
  void on_gap(const GapRecord& record) override { shown_.on_gap(record); }
  void on_fault(const FaultRecord& record) override { shown_.on_fault(record); }
  void on_note(const NoteRecord& record) override { shown_.on_note(record); }
  void on_end() override { shown_.on_end(); }

  [[nodiscard]] const Link& link() const { return link_; }

 private:
  RecordSink& shown_;
  Replay& replay_;
  Link link_;
};

/// The client of the recording, once more, on a stream.
class ReplayRun final : private mqtt::net::StreamHandler {
 public:
  ReplayRun(const SpyConfig& config, const RecordedTalk& talk, Outputs& outputs, Diag& diag)
      : config_{config},
        outputs_{outputs},
        diag_{diag},
        to_wall_{to_wall_clock()},
        replay_{
            talk, {.speed = config.replay.speed, .patience = config.replay.answer_timeout}, outputs.sink()},
        sink_{outputs.sink(), replay_},
        recorder_{sink_},
        out_{loop_.chunks()},
        timer_{loop_, [this] { on_time(); }},
        signals_{loop_, {.on_stop = [this] { loop_.stop(); }, .on_statistics = [] {}}} {}

  ExitCode run(mqtt::net::StreamTarget target) {
    target.connect.deadline = loop_.now() + config_.proxy.server.connect_timeout;
    opening_.emplace(loop_, std::move(target), [this](auto opened) { on_opened(std::move(opened)); });
    loop_.run();
    if (stream_) close({.by = {}, .how = FlowClose::How::unknown, .time = now()});
    recorder_.finish(now());
    (void)flush();
    return conclude();
  }

 private:
  [[nodiscard]] mqtt::TimePoint now() { return loop_.refresh_now() + to_wall_; }

  void on_opened(mqtt::Result<std::unique_ptr<mqtt::net::ByteStream>> opened) {
    if (!opened) {
      fault_ = std::move(opened.error());
      return loop_.stop();
    }
    stream_ = std::move(*opened);
    id_ =
        recorder_.open({.client = {}, .server = server_place(config_.proxy.server), .transport = {}}, now());
    stream_->set_handler(this);
    replay_.begin(now());
    go_on();
  }

  void on_data(mqtt::Bytes bytes) override {
    recorder_.receive(id_, Sender::server, now(), bytes);
    go_on();
  }
  void on_writable() override {
    blocked_ = false;
    go_on();
  }
  void on_end() override { ended(FlowClose::How::fin); }
  void on_error(mqtt::Error) override { ended(FlowClose::How::reset); }

  void ended(FlowClose::How how) {
    if (!closing_) replay_.on_ended(sink_.link(), now());
    close({.by = closing_ ? Sender::client : Sender::server, .how = how, .time = now()});
    loop_.stop();
  }

  void close(const FlowClose& how) {
    recorder_.close(id_, how);
    stream_->close();
    stream_.reset();
  }

  /// Says what is to be said now. What is not taken at once waits, and so does what follows it.
  void go_on() {
    if (closing_) return;
    write_out();
    while (out_.empty() && !blocked_) {
      const auto bytes = replay_.next(now());
      if (!bytes) break;
      recorder_.receive(id_, Sender::client, now(), mqtt::as_bytes(*bytes));
      out_.append_copy(mqtt::as_bytes(*bytes));
      write_out();
    }
    if (!flush()) return loop_.stop();
    if (replay_.over() && out_.empty()) return say_goodbye();
    set_timer();
  }

  void write_out() {
    std::array<iovec, written_parts> parts;
    while (!out_.empty() && !blocked_) {
      const std::size_t count = out_.gather(parts);
      const auto taken = stream_->write({parts.data(), count});
      if (!taken) {  // how it ended comes, behind what the server has said last
        blocked_ = true;
        return out_.clear();
      }
      std::size_t offered = 0;
      for (std::size_t i = 0; i < count; ++i) offered += parts[i].iov_len;
      blocked_ = *taken < offered;
      out_.consume(*taken);
    }
    if (!blocked_) blocked_until_.reset();
  }

  void set_timer() {
    if (blocked_ && !blocked_until_) blocked_until_ = loop_.now() + config_.replay.answer_timeout;
    const mqtt::Deadline next = replay_.next_deadline();
    timer_.set(blocked_ ? blocked_until_ : next ? mqtt::Deadline{*next - to_wall_} : std::nullopt);
  }

  void on_time() {
    if (closing_) return ended(FlowClose::How::fin);
    if (!blocked_) return go_on();
    fault_ = mqtt::Error{mqtt::ErrorDomain::timeout, 0, "the server does not take what it is sent"};
    loop_.stop();
  }

  void say_goodbye() {
    closing_ = true;
    stream_->shutdown();
    timer_.set(loop_.refresh_now() + closing_time);
  }

  [[nodiscard]] bool flush() {
    auto written = outputs_.flush();
    if (!written && !unwritten_) unwritten_ = std::move(written.error());
    return !unwritten_;
  }

  ExitCode conclude() {
    if (unwritten_ && !is_closed_pipe(*unwritten_)) {
      diag_.error(local_io_failed(*unwritten_));
      return ExitCode::local_io;
    }
    if (fault_) return tell_fault(*fault_);
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    tell_messages();
    if (replay_.differences() == 0) return ExitCode::ok;
    diag_.error(fmt::format("not as in the recording: {} difference{}", replay_.differences(),
                            replay_.differences() == 1 ? "" : "s"));
    return ExitCode::expectation;
  }

  ExitCode tell_fault(const mqtt::Error& error) {
    if (id_ != 0) {
      diag_.error(error.context);
      return ExitCode::connection_lost;
    }
    const mqtt::Endpoint& to = *config_.proxy.server.to;
    diag_.error(
        describe({.kind = mqtt::Ending::Kind::open_failed, .error = error},
                 {.name = server_place(config_.proxy.server), .transport = to.transport, .port = to.port}));
    return exit_code_for(error, Stage::connecting);
  }

  void tell_messages() {
    const auto& [recorded, come, others] = replay_.messages();
    if (come < recorded || others > 0)
      diag_.warning(fmt::format("of {} messages that the client received, {} have come again, and {} others",
                                recorded, come, others));
  }

  const SpyConfig& config_;
  Outputs& outputs_;
  Diag& diag_;
  mqtt::net::Loop loop_;
  mqtt::Duration to_wall_;
  Replay replay_;
  ReplaySink sink_;
  Recorder recorder_;
  Recorder::Id id_ = 0;
  std::optional<mqtt::net::Opening> opening_;
  std::unique_ptr<mqtt::net::ByteStream> stream_;
  mqtt::OutBuffer out_;
  bool blocked_ = false;  // on_writable() will come
  bool closing_ = false;
  mqtt::Deadline blocked_until_;
  mqtt::net::Timer timer_;
  Signals signals_;
  std::optional<mqtt::Error> fault_;
  std::optional<mqtt::Error> unwritten_;
};

std::expected<RecordedTalk, Sentence> read_talk(const SpyConfig& config, InputFile& file) {
  TalkCollector collector{{config.replay.connection, config.selection.filter}};
  Recorder recorder{collector};
  Intake intake{recorder};
  const auto left = read_recording(file, intake, [&collector] { return !collector.full(); });
  if (!left) return std::unexpected(left.error());
  intake.finish();
  recorder.finish(intake.last_time());
  auto talk = std::move(collector).choose();
  if (!talk) return std::unexpected(Sentence{talk.error()});
  return *std::move(talk);
}

mqtt::Result<mqtt::net::StreamTarget> target_of(const ServerConfig& server) {
  mqtt::net::StreamTarget target = plain_target(server);
  if (!uses_tls(server.to->transport)) return target;
  auto context = mqtt::net::TlsContext::client(server.tls);
  if (!context) return std::unexpected(std::move(context.error()));
  target.tls = std::move(*context);
  target.tls_server_name = server.name;
  return target;
}

}  // namespace

ExitCode replay_command(const SpyConfig& config) {
  Diag diag{"mqspy", config.log};
  const auto fail = [&diag](ExitCode code, const Sentence& sentence) {
    diag.error(sentence);
    return code;
  };
  auto target = target_of(config.proxy.server);
  if (!target) return fail(ExitCode::usage, target.error().context);
  auto password = resolve_secret(config.replay.password, "password");
  if (!password) return fail(ExitCode::usage, password.error().context);
  auto file = InputFile::open(config.arguments[0]);
  if (!file) return fail(ExitCode::local_io, local_io_failed(file.error()));
  auto talk = read_talk(config, *file);
  if (!talk) return fail(ExitCode::usage, talk.error());
  if (const auto settled = settle_secrets(*talk, *password); !settled)
    return fail(ExitCode::usage, settled.error());
  if (talk->gaps > 0)
    diag.warning(
        fmt::format("bytes of c{} are missing in the recording, and in the replay", talk->link.number));
  SpyConfig all = config;  // --filter has chosen the client: what is said now is shown as a whole
  all.selection.filter.reset();
  auto outputs = Outputs::open(all);
  if (!outputs) return fail(ExitCode::local_io, local_io_failed(outputs.error()));
  return ReplayRun{all, *talk, **outputs, diag}.run(std::move(*target));
}

}  // namespace mq::spy
