#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include <mqtt/net/loop.hpp>

#include "common/record_splitter.hpp"
#include "mqpub/feed.hpp"
#include "mqpub/inputs.hpp"
#include "mqpub/message_maker.hpp"

namespace mq {

/// The same messages a number of times, with a pause between each and the next if asked for: the payload
/// of the command line, or whole inputs, which are read first.
class RepeatFeed final : public Feed {
 public:
  RepeatFeed(mqtt::net::Loop& loop, const PubConfig& config, FeedSink& sink);

  void pump() override;
  void stop() override;
  [[nodiscard]] bool at_end() const override { return loaded_ && left_ == 0; }

 private:
  [[nodiscard]] Inputs::Callbacks input_callbacks();
  void begin();
  void publish_next();

  mqtt::net::Loop& loop_;
  const PubConfig& config_;
  FeedSink& sink_;
  MessageMaker maker_;
  mqtt::net::Timer timer_;
  RecordSplitter splitter_{Framing::whole};
  std::optional<Inputs> inputs_;  // what has to be read before
  bool loaded_ = false;
  std::vector<mqtt::SharedBytes> payloads_;
  std::size_t next_payload_ = 0;
  std::uint64_t left_ = 0;
  mqtt::Deadline next_;  // not before
};

}  // namespace mq
