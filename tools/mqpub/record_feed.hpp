#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include <mqtt/net/loop.hpp>

#include "common/record_splitter.hpp"
#include "mqpub/feed.hpp"
#include "mqpub/inputs.hpp"
#include "mqpub/message_maker.hpp"

namespace mq {

/// A message per record of the inputs.
class RecordFeed final : public Feed {
 public:
  RecordFeed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink);

  void pump() override;
  void stop() override { inputs_.pause(); }
  [[nodiscard]] bool at_end() const override { return at_end_; }

 private:
  std::size_t take(mqtt::Bytes input);
  [[nodiscard]] bool end_input();
  void publish(const mqtt::SharedBytes& record);
  void reject(const Sentence& why);
  [[nodiscard]] std::string where() const;
  void fail(const mqtt::Error& error);
  void fail_untaken(const mqtt::Error& error);

  FeedSink& sink_;
  MessageMaker maker_;
  RecordSplitter splitter_;
  Inputs inputs_;
  std::string_view record_name_;
  std::uint64_t records_ = 0;  // of the present input
  std::uint64_t total_ = 0;    // of all
  std::uint64_t skip_;         // the first ones, which an earlier run has taken
  bool at_end_ = false;
};

}  // namespace mq
