#pragma once
#include <memory>
#include <optional>
#include <vector>

#include <mqtt/net/lifetime.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/opened.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt::net {

/// What an inner stream pushed and a filter has not used yet: a view during the push, a copy when
/// the filter has to stop in the middle of it (at most one read of the loop).
class Intake {
 public:
  [[nodiscard]] Bytes front() const { return held_.empty() ? pushed_ : Bytes{held_}.subspan(used_); }
  [[nodiscard]] bool empty() const { return front().empty(); }
  void push(Bytes bytes);
  /// Copies up to `size` bytes out; returns how many.
  std::size_t read(std::uint8_t* to, std::size_t size);
  void skip(std::size_t size);
  /// The pushed view ends: keeps what is left of it.
  void hold_rest();

 private:
  Bytes pushed_;
  std::vector<std::uint8_t> held_;
  std::size_t used_ = 0;  // of held_
};

/// What TLS and WebSocket have in common as streams over a stream: the handshake's phases, reading
/// that can pause anywhere, output that waits until the inner stream takes it. Derived classes turn
/// intake into on_data() and write() into output.
class FilterStream : public ByteStream, protected StreamHandler {
 public:
  void set_handler(StreamHandler* handler) override;
  void pause_reading() override;
  void resume_reading() override;
  std::size_t unacknowledged() const override { return inner_->unacknowledged(); }
  std::optional<SegmentCounts> segments() const override { return inner_->segments(); }
  bool may_just_close() const override;
  void close() override;
  void reset() override;
  std::string peer() const override { return inner_->peer(); }

 protected:
  enum class Phase : std::uint8_t { handshake, open, broken };

  FilterStream(Loop& loop, std::unique_ptr<ByteStream> inner, Opened opened);
  /// Begins to listen to the inner stream.
  void attach() { inner_->set_handler(this); }

  /// Uses up intake() or goes on until it is not wanted(); may destroy this object.
  virtual void process() = 0;
  /// The inner stream has ended, and process() cannot go on for want of intake.
  virtual void on_input_end() = 0;
  /// Everything in output() has left; may add to it.
  virtual void on_output_drained() {}

  [[nodiscard]] Phase phase() const { return phase_; }
  /// True if the handler would take data now.
  [[nodiscard]] bool wants_data() const {
    return phase_ == Phase::open && handler_ && !paused_ && !read_over_;
  }
  [[nodiscard]] bool wants_input() const { return phase_ == Phase::handshake || wants_data(); }

  // Each of these calls out, and may destroy this object: nothing of it may be used afterwards
  // without a Lifetime::Watch.
  void succeed();
  void fail_with(Error error);
  void deliver(Bytes bytes) { handler_->on_data(bytes); }
  void deliver_end();

  /// Sends what is in output(), and ends the inner stream after it if that was asked for.
  void flush();
  /// flush() and then inner shutdown.
  void end_output();
  /// Why write() cannot be done, if so.
  [[nodiscard]] std::optional<Error> write_fault() const;
  /// For write(): `taken` of `offered` bytes were taken; promises on_writable() if that is short.
  [[nodiscard]] Result<std::size_t> taken(std::size_t taken, std::size_t offered);

  [[nodiscard]] Intake& intake() { return intake_; }
  [[nodiscard]] const Intake& intake() const { return intake_; }
  [[nodiscard]] OutBuffer& output() { return output_; }
  [[nodiscard]] ByteStream& inner() { return *inner_; }
  [[nodiscard]] const ByteStream& inner() const { return *inner_; }
  [[nodiscard]] Lifetime& lifetime() { return lifetime_; }
  [[nodiscard]] bool output_ended() const { return ending_; }
  void set_write_error(Error error);

 private:
  void on_data(Bytes bytes) override;
  void on_writable() override;
  void on_end() override;
  void on_error(Error error) override;

  void run();
  void follow_reading();

  std::unique_ptr<ByteStream> inner_;
  Opened opened_;
  StreamHandler* handler_ = nullptr;
  Intake intake_;
  OutBuffer output_;
  TurnEnd again_;  // to go on after a pause, from the loop
  // Of thousands of connections next to none has an error: each is a pointer of room.
  std::unique_ptr<const Error> write_error_;
  std::unique_ptr<const Error> untold_;  // that came while there was no handler
  Lifetime lifetime_;
  Phase phase_ = Phase::handshake;
  bool paused_ = false;
  bool inner_paused_ = false;
  bool input_ended_ = false;  // the inner stream's end has come
  bool read_over_ = false;    // on_end() was delivered
  bool ending_ = false;       // our direction ends when output_ is empty
  bool inner_shut_down_ = false;
  bool owes_writable_ = false;
};

}  // namespace mqtt::net
