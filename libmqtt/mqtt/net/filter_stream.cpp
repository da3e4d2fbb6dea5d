#include <mqtt/net/filter_stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace mqtt::net {

void Intake::push(Bytes bytes) {
  if (held_.empty())
    pushed_ = bytes;
  else
    held_.insert(held_.end(), bytes.begin(), bytes.end());
}

std::size_t Intake::read(std::uint8_t* to, std::size_t size) {
  const Bytes bytes = front().first(std::min(size, front().size()));
  std::ranges::copy(bytes, to);
  skip(bytes.size());
  return bytes.size();
}

void Intake::skip(std::size_t size) {
  if (held_.empty()) {
    pushed_ = pushed_.subspan(size);
    return;
  }
  used_ += size;
  if (used_ < held_.size()) return;
  held_ = std::vector<std::uint8_t>{};  // {} would keep the memory: pauses are rare
  used_ = 0;
}

void Intake::hold_rest() {
  if (held_.empty()) held_.assign(pushed_.begin(), pushed_.end());
  pushed_ = {};
}

FilterStream::FilterStream(Loop& loop, std::unique_ptr<ByteStream> inner, Opened opened)
    : inner_{std::move(inner)},
      opened_{std::move(opened)},
      output_{loop.chunks()},
      again_{loop, [this] { run(); }} {}

void FilterStream::set_handler(StreamHandler* handler) {
  handler_ = handler;
  if (wants_data() || untold_)
    again_.request();
  else
    follow_reading();
}

void FilterStream::pause_reading() {
  paused_ = true;
  follow_reading();
}

void FilterStream::resume_reading() {
  paused_ = false;
  if (wants_data()) again_.request();
}

/// The peer waits for the farewell of this layer, behind which the inner stream is shut down. What waits in
/// the intake makes no reset: the system has handed it out.
bool FilterStream::may_just_close() const { return inner_shut_down_ && inner_->may_just_close(); }

void FilterStream::close() {
  handler_ = nullptr;
  opened_ = nullptr;
  phase_ = Phase::broken;
  again_.cancel();
  inner_->close();
}

void FilterStream::reset() {
  inner_->reset();
  close();
}

void FilterStream::on_data(Bytes bytes) {
  intake_.push(bytes);
  run();
}

void FilterStream::on_end() {
  input_ended_ = true;
  run();
}

void FilterStream::on_error(Error error) { fail_with(std::move(error)); }

void FilterStream::run() {
  const Lifetime::Watch watch{lifetime_};
  if (handler_ && untold_) return fail_with(*std::exchange(untold_, nullptr));
  if (wants_input()) process();
  if (watch.ended()) return;
  if (input_ended_ && wants_input()) on_input_end();
  if (watch.ended()) return;
  intake_.hold_rest();
  follow_reading();
}

void FilterStream::follow_reading() {
  const bool pause = !wants_input();
  if (pause == inner_paused_) return;
  inner_paused_ = pause;
  if (pause)
    inner_->pause_reading();
  else
    inner_->resume_reading();
}

void FilterStream::succeed() {
  phase_ = Phase::open;
  const auto call = std::exchange(opened_, nullptr);
  call({});
}

void FilterStream::fail_with(Error error) {
  if (phase_ == Phase::handshake) {
    phase_ = Phase::broken;
    const auto call = std::exchange(opened_, nullptr);
    return call(std::unexpected(std::move(error)));
  }
  if (read_over_) return;  // the last word has been said
  phase_ = Phase::broken;
  if (!handler_) {
    untold_ = std::make_unique<const Error>(std::move(error));
    return;
  }
  read_over_ = true;
  handler_->on_error(std::move(error));
}

void FilterStream::deliver_end() {
  read_over_ = true;
  handler_->on_end();
}

void FilterStream::flush() {
  std::array<iovec, 64> parts;
  while (!output_.empty() && !write_error_) {
    const std::size_t count = output_.gather(parts);
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) offered += parts[i].iov_len;
    auto taken = inner_->write({parts.data(), count});
    if (!taken) return set_write_error(std::move(taken.error()));
    output_.consume(*taken);
    if (*taken < offered) return;  // on_writable() follows
  }
  if (ending_ && !std::exchange(inner_shut_down_, true)) inner_->shutdown();
}

void FilterStream::end_output() {
  ending_ = true;
  flush();
}

void FilterStream::on_writable() {
  flush();
  if (output_.empty() && !write_error_ && !ending_) {
    on_output_drained();
    flush();
  }
  if (!output_.empty() || !handler_) return;
  if (std::exchange(owes_writable_, false)) handler_->on_writable();
}

void FilterStream::set_write_error(Error error) {
  write_error_ = std::make_unique<const Error>(std::move(error));
  output_.clear();
}

std::optional<Error> FilterStream::write_fault() const {
  if (write_error_) return *write_error_;
  if (phase_ == Phase::open && !ending_) return std::nullopt;
  return Error{ErrorDomain::system, EPIPE, "the connection is closed"};
}

Result<std::size_t> FilterStream::taken(std::size_t taken, std::size_t offered) {
  if (write_error_) return std::unexpected(*write_error_);
  if (taken < offered) owes_writable_ = true;
  return taken;
}

}  // namespace mqtt::net
