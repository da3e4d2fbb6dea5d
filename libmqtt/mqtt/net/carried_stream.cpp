#include <mqtt/net/carried_stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include <mqtt/net/lifetime.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt::net {
namespace {

/// Bytes that have moved on are told of in such steps: often enough that neither side runs dry, and that a
/// slow line shows that it moves. What may not have been told of yet is in no account of memory.
constexpr std::size_t told_from = 16 * 1024;

class CarriedStream;

/// Where calls that come home find the stream; null once it is closed. Ends with the Wire's last word.
struct HomeAddress {
  CarriedStream* stream;
};

/// What comes along with all that comes home.
struct Progress {
  std::uint32_t written = 0;    // bytes, since the last one
  bool may_just_close = false;  // for all that the thread knows
};

enum class Ending : std::uint8_t { close, reset };

/// The thread's side. All of it but its making happens there, and it ends by its own hand.
class Wire final : private StreamHandler, private CarriedEnd {
 public:
  Wire(LoopThread& thread, HomeAddress* home, std::unique_ptr<Shortcut> shortcut)
      : thread_{thread}, home_{home}, waiting_{thread.loop().chunks()}, shortcut_{std::move(shortcut)} {}

  void open(MakeStream make);
  void write(Bytes bytes);
  /// The handler has got so many bytes.
  void note_taken(std::size_t size);
  void shut_down();
  void end(Ending ending);

 private:
  ~Wire() = default;
  void on_data(Bytes bytes) override;
  void on_writable() override;
  void on_end() override;
  void on_error(Error error) override;
  void send_home(Bytes bytes) override;
  void tell_home(std::uint32_t word, Bytes bytes) override;
  void append(Bytes bytes, Origin origin) override;
  void flush() override;
  std::size_t waiting() const override { return waiting_.size(); }
  void hold_reading() override;
  void let_read() override;

  void follow_reading();
  void note_written(std::size_t size);
  [[nodiscard]] std::size_t home_share(std::size_t size);
  void end_output();
  void fail_writing(Error error);
  [[nodiscard]] Progress take_progress();

  LoopThread& thread_;
  HomeAddress* home_;
  std::unique_ptr<ByteStream> stream_;  // null: none could be made
  OutBuffer waiting_;                   // not yet taken by the stream
  std::unique_ptr<Shortcut> shortcut_;  // may be null
  std::size_t foreign_before_ = 0;      // of what is waiting: not from home, and in front of the last that is
  std::size_t foreign_behind_ = 0;      // of the shortcut, too, and behind all that is from home
  std::size_t untold_ = 0;              // written, and home does not know
  std::size_t unread_ = 0;              // sent home, and not taken there
  bool paused_ = false;
  bool held_ = false;     // for the shortcut
  bool blocked_ = false;  // on_writable() will come
  bool ending_ = false;   // our direction, behind what is waiting
  bool ended_ = false;    // or about to be
  bool write_failed_ = false;
};

/// Home's side.
class CarriedStream final : public ByteStream {
 public:
  CarriedStream(LoopThread& thread, std::string peer, StreamProperties properties, MakeStream make,
                std::unique_ptr<Shortcut> shortcut);
  ~CarriedStream() override { leave(Ending::close); }
  CarriedStream(const CarriedStream&) = delete;
  CarriedStream& operator=(const CarriedStream&) = delete;

  void set_handler(StreamHandler* handler) override;
  Result<std::size_t> write(std::span<const iovec> parts) override;
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  void shutdown() override;
  bool may_just_close() const override { return may_just_close_ && has_left() && held_.empty(); }
  bool has_left() const override { return under_way_ == 0; }
  void close() override { leave(Ending::close); }
  void reset() override { leave(Ending::reset); }
  std::string peer() const override { return peer_; }
  StreamProperties properties() const override { return properties_ ? *properties_ : StreamProperties{}; }
  bool holds_input() const override { return !held_.empty(); }
  Shortcut* shortcut() const override { return wire_ ? shortcut_ : nullptr; }

  // The Wire's words.

  void on_bytes(Bytes bytes, Progress progress);
  void on_progress(Progress progress);
  /// nullptr: an orderly one.
  void on_read_over(std::unique_ptr<const Error> error, Progress progress);
  void on_write_failed(std::unique_ptr<const Error> error);
  /// Nothing is waiting any more, and the stream's shutdown() follows.
  void on_output_over(Progress progress);
  void on_word(std::uint32_t word, Bytes bytes);

 private:
  [[nodiscard]] bool wants_data() const { return handler_ && !paused_ && !read_over_; }
  void note(Progress progress);
  void hold(Bytes bytes);
  void deliver(Bytes bytes);
  void deliver_held();
  void go_on();
  void tell_writable();
  void leave(Ending ending);
  void recount();

  LoopThread& thread_;
  Wire* wire_;                // null: closed
  Shortcut* const shortcut_;  // the Wire's
  HomeAddress* address_;
  StreamHandler* handler_ = nullptr;
  const std::string peer_;
  const std::unique_ptr<const StreamProperties> properties_;  // null: nothing was agreed
  std::vector<std::uint8_t> held_;                            // came while nobody wanted it
  TurnEnd again_;                                             // to go on after a pause, from the loop
  std::unique_ptr<const Error> write_error_;
  std::unique_ptr<const Error> read_error_;
  Lifetime lifetime_;
  std::size_t under_way_ = 0;  // taken by write(), and not known to be written
  std::size_t untold_ = 0;     // delivered, and the thread does not know
  std::size_t counted_ = 0;    // of both directions, in the account of home's chunks
  bool may_just_close_ = false;
  bool paused_ = false;
  bool input_ended_ = false;  // behind what is held
  bool read_over_ = false;    // and told
  bool owes_writable_ = false;
  bool shut_down_ = false;
};

void Wire::open(MakeStream make) {
  auto made = make(thread_.loop());
  if (made) {
    stream_ = std::move(*made);
    if (shortcut_) shortcut_->begin(*this);
    return stream_->set_handler(this);
  }
  fail_writing(made.error());
  on_error(std::move(made.error()));
}

void Wire::write(Bytes bytes) {
  if (write_failed_) return;
  shortcut_ ? shortcut_->on_from_home(bytes) : append(bytes, Origin::home);
}

void Wire::append(Bytes bytes, Origin origin) {
  if (write_failed_) return;
  if (origin == Origin::shortcut) {
    if (ended_) return;
    foreign_behind_ += bytes.size();
    return waiting_.append_copy(bytes);
  }
  if (waiting_.empty()) {
    const iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    auto taken = stream_->write({&part, 1});
    if (!taken) return fail_writing(std::move(taken.error()));
    blocked_ = *taken < bytes.size();
    note_written(*taken);
    bytes = bytes.subspan(*taken);
  }
  if (bytes.empty()) return;
  waiting_.append_copy(bytes);
  foreign_before_ += std::exchange(foreign_behind_, 0);
}

void Wire::on_writable() {
  blocked_ = false;
  flush();
  if (waiting_.empty() && shortcut_ && !write_failed_) shortcut_->on_drained();
  if (waiting_.empty() && std::exchange(ending_, false)) end_output();
}

void Wire::flush() {
  std::array<iovec, 64> parts;
  while (!waiting_.empty() && !blocked_) {
    const std::size_t count = waiting_.gather(parts);
    const std::size_t offered = Parts{{parts.data(), count}}.left();
    auto taken = stream_->write({parts.data(), count});
    if (!taken) return fail_writing(std::move(taken.error()));
    waiting_.consume(*taken);
    blocked_ = *taken < offered;
    note_written(home_share(*taken));
  }
}

/// Of so much that has left. It counts as written no sooner than it is, nor much later, whatever is inserted.
std::size_t Wire::home_share(std::size_t size) {
  const std::size_t before = std::min(foreign_before_, size);
  const std::size_t behind = waiting_.size() < foreign_behind_ ? foreign_behind_ - waiting_.size() : 0;
  foreign_before_ -= before;
  foreign_behind_ -= behind;
  return size - before - behind;
}

/// Told before: a farewell of the stream's own is to be waited for (FilterStream::may_just_close()).
void Wire::end_output() {
  thread_.post_home([home = home_, progress = take_progress()](Bytes) {
    if (home->stream) home->stream->on_output_over(progress);
  });
  if (stream_) stream_->shutdown();
}

void Wire::note_written(std::size_t size) {
  untold_ += size;
  if (untold_ < told_from) return;
  thread_.post_home([home = home_, progress = take_progress()](Bytes) {
    if (home->stream) home->stream->on_progress(progress);
  });
}

void Wire::fail_writing(Error error) {
  write_failed_ = true;
  waiting_.clear();
  foreign_before_ = foreign_behind_ = 0;
  thread_.post_home([home = home_, kept = std::make_unique<const Error>(std::move(error))](Bytes) mutable {
    if (home->stream) home->stream->on_write_failed(std::move(kept));
  });
  if (std::exchange(ending_, false)) end_output();
}

Progress Wire::take_progress() {
  return {static_cast<std::uint32_t>(std::exchange(untold_, 0)),
          stream_ && waiting_.empty() && stream_->may_just_close()};
}

void Wire::on_data(Bytes bytes) { shortcut_ ? shortcut_->on_read(bytes) : send_home(bytes); }

void Wire::send_home(Bytes bytes) {
  unread_ += bytes.size();
  thread_.post_home(
      [home = home_, progress = take_progress()](Bytes posted) {
        if (home->stream) home->stream->on_bytes(posted, progress);
      },
      bytes);
  follow_reading();
}

void Wire::tell_home(std::uint32_t word, Bytes bytes) {
  thread_.post_home(
      [home = home_, word](Bytes posted) {
        if (home->stream) home->stream->on_word(word, posted);
      },
      bytes);
}

void Wire::note_taken(std::size_t size) {
  unread_ -= size;
  follow_reading();
}

void Wire::hold_reading() {
  held_ = true;
  follow_reading();
}

void Wire::let_read() {
  held_ = false;
  follow_reading();
}

void Wire::follow_reading() {
  const bool pause = held_ || unread_ >= carried_max;
  if (pause == paused_ || !stream_) return;
  paused_ = pause;
  pause ? stream_->pause_reading() : stream_->resume_reading();
}

void Wire::on_end() {
  if (shortcut_) shortcut_->on_read_over();
  thread_.post_home([home = home_, progress = take_progress()](Bytes) {
    if (home->stream) home->stream->on_read_over(nullptr, progress);
  });
}

void Wire::on_error(Error error) {
  if (shortcut_) shortcut_->on_read_over();
  auto kept = std::make_unique<const Error>(std::move(error));
  thread_.post_home([home = home_, progress = take_progress(), kept = std::move(kept)](Bytes) mutable {
    if (home->stream) home->stream->on_read_over(std::move(kept), progress);
  });
}

void Wire::shut_down() {
  ended_ = true;
  flush();
  if (!waiting_.empty())
    ending_ = true;
  else
    end_output();
}

/// What is still waiting is lost, which is no orderly end.
void Wire::end(Ending ending) {
  if (stream_ && !write_failed_) flush();
  if (stream_ && (ending == Ending::reset || !waiting_.empty())) stream_->reset();
  thread_.post_home([home = home_](Bytes) { delete home; });
  delete this;
}

CarriedStream::CarriedStream(LoopThread& thread, std::string peer, StreamProperties properties,
                             MakeStream make, std::unique_ptr<Shortcut> shortcut)
    : thread_{thread},
      shortcut_{shortcut.get()},
      address_{new HomeAddress{this}},
      peer_{std::move(peer)},
      properties_{properties == StreamProperties{}
                      ? nullptr
                      : std::make_unique<const StreamProperties>(std::move(properties))},
      again_{thread.home(), [this] { go_on(); }} {
  wire_ = new Wire{thread, address_, std::move(shortcut)};
  thread_.begin_use();
  thread_.post([wire = wire_, make = std::move(make)](Bytes) mutable { wire->open(std::move(make)); });
}

void CarriedStream::set_handler(StreamHandler* handler) {
  handler_ = handler;
  if (handler) again_.request();
}

void CarriedStream::resume_reading() {
  paused_ = false;
  if (!held_.empty() || input_ended_) again_.request();
}

Result<std::size_t> CarriedStream::write(std::span<const iovec> parts) {
  if (write_error_) return std::unexpected(*write_error_);
  if (!wire_ || shut_down_) return fail(ErrorDomain::system, EPIPE, "the connection is closed");
  Parts rest{parts};
  const std::size_t offered = rest.left();
  const std::size_t size = std::min(offered, carried_max - under_way_);
  if (size > 0) thread_.post([wire = wire_](Bytes bytes) { wire->write(bytes); }, rest, size);
  under_way_ += size;
  recount();
  if (size < offered) owes_writable_ = true;
  return size;
}

void CarriedStream::shutdown() {
  if (!wire_ || std::exchange(shut_down_, true)) return;
  thread_.post([wire = wire_](Bytes) { wire->shut_down(); });
}

void CarriedStream::leave(Ending ending) {
  if (!wire_) return;
  handler_ = nullptr;
  again_.cancel();
  held_ = std::vector<std::uint8_t>{};
  under_way_ = 0;
  recount();
  address_->stream = nullptr;
  thread_.post([wire = std::exchange(wire_, nullptr), ending](Bytes) { wire->end(ending); });
  thread_.end_use();
}

void CarriedStream::recount() {
  const std::size_t keeps = held_.size() + std::max(under_way_, told_from) - told_from;
  thread_.home().chunks().recount(std::exchange(counted_, keeps), keeps);
}

void CarriedStream::note(Progress progress) {
  under_way_ -= std::min<std::size_t>(progress.written, under_way_);
  recount();
  may_just_close_ = progress.may_just_close;
}

void CarriedStream::on_bytes(Bytes bytes, Progress progress) {
  note(progress);
  const Lifetime::Watch watch{lifetime_};
  if (wants_data() && held_.empty())
    deliver(bytes);
  else
    hold(bytes);
  if (!watch.ended()) tell_writable();
}

void CarriedStream::hold(Bytes bytes) {
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  recount();
}

void CarriedStream::deliver(Bytes bytes) {
  untold_ += bytes.size();
  if (untold_ >= told_from)
    thread_.post(
        [wire = wire_, size = std::exchange(untold_, std::size_t{0})](Bytes) { wire->note_taken(size); });
  handler_->on_data(bytes);
}

void CarriedStream::on_progress(Progress progress) {
  note(progress);
  tell_writable();
}

void CarriedStream::on_write_failed(std::unique_ptr<const Error> error) {
  write_error_ = std::move(error);
  under_way_ = 0;
  recount();
  tell_writable();
}

void CarriedStream::on_output_over(Progress progress) {
  note(progress);
  owes_writable_ = true;
  tell_writable();
}

void CarriedStream::on_word(std::uint32_t word, Bytes bytes) {
  if (handler_) handler_->on_word(word, bytes);
}

void CarriedStream::on_read_over(std::unique_ptr<const Error> error, Progress progress) {
  note(progress);
  input_ended_ = true;
  read_error_ = std::move(error);
  go_on();
}

void CarriedStream::deliver_held() {
  const std::vector<std::uint8_t> bytes = std::exchange(held_, {});
  recount();
  deliver(bytes);
}

/// May destroy this object.
void CarriedStream::go_on() {
  const Lifetime::Watch watch{lifetime_};
  if (wants_data() && !held_.empty()) deliver_held();
  if (watch.ended()) return;
  if (wants_data() && held_.empty() && input_ended_) {
    read_over_ = true;
    read_error_ ? handler_->on_error(*read_error_) : handler_->on_end();
  }
  if (!watch.ended()) tell_writable();
}

void CarriedStream::tell_writable() {
  if (!handler_ || !owes_writable_ || (under_way_ == carried_max && !write_error_)) return;
  owes_writable_ = false;
  handler_->on_writable();
}

}  // namespace

std::unique_ptr<ByteStream> carry(LoopThread& thread, std::string peer, StreamProperties properties,
                                  MakeStream make, std::unique_ptr<Shortcut> shortcut) {
  return std::make_unique<CarriedStream>(thread, std::move(peer), std::move(properties), std::move(make),
                                         std::move(shortcut));
}

}  // namespace mqtt::net
