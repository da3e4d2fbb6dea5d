#include "mqpub/record_feed.hpp"

#include <fmt/format.h>

namespace mq {

RecordFeed::RecordFeed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink)
    : loop_{loop},
      sink_{sink},
      maker_{config},
      splitter_{config.framing, config.separator},
      inputs_{loop,
              config.inputs,
              config.rounds,
              {.on_data = [this](mqtt::Bytes input) { return take(input); },
               .on_input_end = [this] { return end_input(); },
               .on_end =
                   [this] {
                     at_end_ = true;
                     sink_.on_feed_end();
                   },
               .on_error = [this](const mqtt::Error& error) { fail(error); }}},
      record_name_{config.framing == Framing::whole ? ""
                   : config.separator == "\n"       ? "line"
                                                    : "record"},
      timer_{loop, [this] { sink_.on_feed_due(); }},
      skip_{config.skip_records} {
  frame_ = maker_.frame();
  if (config.replay_speed) schedule_.emplace(*config.replay_speed);
}

void RecordFeed::pump() {
  if (held_until_) publish_held();
  if (!at_end_ && !held_until_ && sink_.has_room()) inputs_.resume();
}

void RecordFeed::stop() {
  inputs_.pause();
  timer_.cancel();
}

std::size_t RecordFeed::take(mqtt::Bytes input) {
  const std::size_t offered = input.size();
  if (records_ == 0) splitter_.expect(inputs_.expected_bytes());
  while (!held_until_ && sink_.has_room()) {
    const auto record = splitter_.next(input);
    if (!record) {
      fail(record.error());
      return offered;
    }
    if (!*record) return offered;
    take_record({**record, nullptr});
  }
  return offered - input.size();  // the rest comes again with the next pump()
}

bool RecordFeed::end_input() {
  if (held_until_ || (splitter_.pending() && !sink_.has_room())) return false;
  const auto last = splitter_.finish();
  if (!last) {
    fail(last.error());
    return false;
  }
  if (*last) take_record(**last);
  if (held_until_) return false;
  records_ = 0;
  if (schedule_) schedule_->begin_round();
  return true;
}

void RecordFeed::take_record(const mqtt::SharedBytes& record) {
  ++records_;
  if (++total_ <= skip_) return;
  if (frame_) {
    frame_->payload = record;
    frame_->record = total_;
    publish(*frame_);
    frame_->payload = {};  // a whole file is not kept longer than it is in flight
    return;
  }
  auto made = maker_.make(record);
  if (!made) return reject(made.error());
  if (!*made) return;
  if (schedule_ && hold(**made)) return;
  (*made)->message.record = total_;
  publish((*made)->message);
}

/// True if the message has to wait: it is kept, and nothing is read until it has left.
bool RecordFeed::hold(const MadeMessage& made) {
  const mqtt::TimePoint now = loop_.now();
  const mqtt::Deadline due = schedule_->due(made.recorded_at_ns, now);
  if (!due || *due <= now) return false;
  mqtt::PublishView header;
  header.topic = made.message.topic;
  header.qos = made.message.qos;
  header.retain = made.message.retain;
  header.properties = made.message.properties;
  held_.assign(header, made.message.payload);
  held_until_ = due;
  timer_.set(*due);
  return true;
}

void RecordFeed::publish_held() {
  if (*held_until_ > loop_.now() || !sink_.has_room()) return;
  held_until_.reset();
  const mqtt::PublishView header = held_.header();
  publish({header.topic, header.qos, header.retain, header.properties, held_.payload(), total_});
}

void RecordFeed::publish(const OutgoingMessage& message) {
  const auto sent = sink_.publish(message);
  if (sent) return;
  if (sent.error().domain == mqtt::ErrorDomain::system) return fail_untaken(sent.error());
  reject(cannot_publish(message.topic, sent.error()));
}

std::string RecordFeed::where() const {
  return record_name_.empty() ? inputs_.name()
                              : fmt::format("{} {} of {}", record_name_, records_, inputs_.name());
}

void RecordFeed::reject(const Sentence& why) { sink_.reject({where() + ": " + why.text, why.hint}); }

void RecordFeed::fail_untaken(const mqtt::Error& error) {
  inputs_.pause();
  sink_.on_feed_error(
      {error.domain, error.code, fmt::format("{}; nothing was taken from {} on", error.context, where())});
}

void RecordFeed::fail(const mqtt::Error& error) {
  inputs_.pause();
  mqtt::Error named = error;
  if (error.context.find(inputs_.name()) == std::string::npos)
    named.context = inputs_.name() + ": " + error.context;
  sink_.on_feed_error(named);
}

}  // namespace mq
