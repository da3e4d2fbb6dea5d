#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/net/loop.hpp>
#include <mqtt/session/stored_message.hpp>

#include "common/record_splitter.hpp"
#include "mqpub/feed.hpp"
#include "mqpub/inputs.hpp"
#include "mqpub/message_maker.hpp"
#include "mqpub/schedule.hpp"

namespace mq {

/// A message per record of the inputs; of a recording each when it is due.
class RecordFeed final : public Feed {
 public:
  RecordFeed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink);

  void pump() override;
  void stop() override;
  [[nodiscard]] bool at_end() const override { return at_end_; }

 private:
  std::size_t take(mqtt::Bytes input);
  [[nodiscard]] bool end_input();
  void take_record(const mqtt::SharedBytes& record);
  [[nodiscard]] bool hold(const MadeMessage& made);
  void publish_held();
  void publish(const OutgoingMessage& message);
  void reject(const Sentence& why);
  [[nodiscard]] std::string where() const;
  void fail(const mqtt::Error& error);
  void fail_untaken(const mqtt::Error& error);

  mqtt::net::Loop& loop_;
  FeedSink& sink_;
  MessageMaker maker_;
  RecordSplitter splitter_;
  Inputs inputs_;
  std::string_view record_name_;
  mqtt::net::Timer timer_;
  std::optional<Schedule> schedule_;
  mqtt::Deadline held_until_;  // of the message below; nothing is read before
  mqtt::StoredMessage held_;
  std::optional<OutgoingMessage> frame_;  // of messages that differ in their payload only
  std::uint64_t records_ = 0;             // of the present input
  std::uint64_t total_ = 0;               // of all
  std::uint64_t skip_;                    // the first ones, which an earlier run has taken
  bool at_end_ = false;
};

}  // namespace mq
