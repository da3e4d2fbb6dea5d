#include "mqpub/repeat_feed.hpp"

#include <algorithm>
#include <utility>

namespace mq {

RepeatFeed::RepeatFeed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink)
    : loop_{loop}, config_{config}, sink_{sink}, maker_{config}, timer_{loop, [this] {
                                                                          sink_.on_feed_due();
                                                                        }} {
  if (config.source == PayloadSource::inputs) {
    inputs_.emplace(loop, config.inputs, 1, input_callbacks());
    return;
  }
  payloads_.push_back(mqtt::SharedBytes::take(config.message));
  begin();
}

Inputs::Callbacks RepeatFeed::input_callbacks() {
  return {.on_data = [this](mqtt::Bytes data) -> std::size_t {
            const std::size_t offered = data.size();
            if (const auto gathered = splitter_.next(data); !gathered) sink_.on_feed_error(gathered.error());
            return offered;
          },
          .on_input_end =
              [this] {
                if (auto whole = splitter_.finish(); whole && *whole) payloads_.push_back(std::move(**whole));
                return true;
              },
          .on_end = [this] { begin(), sink_.on_feed_due(); },
          .on_error = [this](const mqtt::Error& error) { sink_.on_feed_error(error); }};
}

void RepeatFeed::begin() {
  loaded_ = true;
  left_ = config_.repeat * payloads_.size();
}

void RepeatFeed::pump() {
  if (!loaded_) return inputs_->resume();
  while (left_ > 0 && sink_.has_room()) {
    const mqtt::TimePoint now = loop_.now();
    if (next_ && now < *next_) return timer_.set(*next_);
    --left_;
    publish_next();
    // After a stall the pauses go on from here: what was missed does not come in one burst.
    if (config_.repeat_delay > mqtt::Duration::zero())
      next_ = std::max(now, next_.value_or(now)) + config_.repeat_delay;
  }
}

void RepeatFeed::publish_next() {
  const mqtt::SharedBytes& payload = payloads_[next_payload_];
  next_payload_ = (next_payload_ + 1) % payloads_.size();
  const auto made = maker_.make(payload);
  if (!made) return sink_.reject(made.error());
  if (!*made) return;
  const OutgoingMessage& message = (*made)->message;
  const auto sent = sink_.publish(message);
  if (sent) return;
  if (sent.error().domain == mqtt::ErrorDomain::system) return sink_.on_feed_error(sent.error());
  sink_.reject(cannot_publish(message.topic, sent.error()));
}

void RepeatFeed::stop() {
  loaded_ = true;
  left_ = 0;
  timer_.cancel();
  if (inputs_) inputs_->pause();
}

}  // namespace mq
