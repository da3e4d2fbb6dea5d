#include "mqpub/record_feed.hpp"

#include <fmt/format.h>

namespace mq {

RecordFeed::RecordFeed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink)
    : sink_{sink},
      maker_{config},
      splitter_{config.framing, config.separator},
      inputs_{loop,
              config.inputs,
              1,
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
      skip_{config.skip_records} {}

void RecordFeed::pump() {
  if (!at_end_ && sink_.has_room()) inputs_.resume();
}

std::size_t RecordFeed::take(mqtt::Bytes input) {
  const std::size_t offered = input.size();
  if (records_ == 0) splitter_.expect(inputs_.expected_bytes());
  while (sink_.has_room()) {
    const auto record = splitter_.next(input);
    if (!record) {
      fail(record.error());
      return offered;
    }
    if (!*record) return offered;
    publish({**record, nullptr});
  }
  return offered - input.size();  // the rest comes again with the next pump()
}

bool RecordFeed::end_input() {
  if (splitter_.pending() && !sink_.has_room()) return false;
  const auto last = splitter_.finish();
  if (!last) {
    fail(last.error());
    return false;
  }
  if (*last) publish(**last);
  records_ = 0;
  return true;
}

void RecordFeed::publish(const mqtt::SharedBytes& record) {
  ++records_;
  if (++total_ <= skip_) return;
  auto made = maker_.make(record);
  if (!made) return reject(made.error());
  if (!*made) return;
  OutgoingMessage& message = (*made)->message;
  message.record = total_;
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
