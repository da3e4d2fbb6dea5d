#include "mqpub/line_feed.hpp"

namespace mq {

LineFeed::LineFeed(mqtt::net::Loop& loop, Callbacks callbacks)
    : callbacks_{std::move(callbacks)},
      input_{loop,
             {.on_data = [this](mqtt::Bytes input) { return take(input); },
              .on_end = [this] { end(); },
              .on_error = [this](const mqtt::Error& error) { fail(error); }}} {}

void LineFeed::pump() {
  if (at_end_ || !callbacks_.has_room()) return;
  if (input_ended_) return end();
  input_.resume();
}

std::size_t LineFeed::take(mqtt::Bytes input) {
  const std::size_t offered = input.size();
  while (callbacks_.has_room()) {
    const auto record = splitter_.next(input);
    if (!record) {
      fail(record.error());
      return offered;
    }
    if (!*record) return offered;
    callbacks_.publish(**record);
  }
  return offered - input.size();  // the rest comes again with the next pump()
}

void LineFeed::end() {
  input_ended_ = true;
  if (!callbacks_.has_room()) return;  // pump() comes back here
  at_end_ = true;
  if (const auto last = splitter_.finish()) callbacks_.publish(*last);
  callbacks_.on_end();
}

void LineFeed::fail(const mqtt::Error& error) {
  input_.pause();
  callbacks_.on_error(error);
}

}  // namespace mq
