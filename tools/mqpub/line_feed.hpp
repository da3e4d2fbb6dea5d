#pragma once
#include <functional>

#include <mqtt/net/loop.hpp>

#include "common/line_splitter.hpp"
#include "common/stdio.hpp"

namespace mq {

/// Standard input, a message per record, as fast as there is room and no faster.
class LineFeed {
 public:
  struct Callbacks {
    std::function<bool()> has_room;            ///< asked before each record
    std::function<void(mqtt::Bytes)> publish;  ///< the view lives for the call
    std::function<void()> on_end;              ///< all records have been published
    std::function<void(const mqtt::Error&)> on_error;
  };

  LineFeed(mqtt::net::Loop& loop, Callbacks callbacks);

  /// There may be room again.
  void pump();
  void stop() { input_.pause(); }
  [[nodiscard]] bool at_end() const { return at_end_; }

 private:
  std::size_t take(mqtt::Bytes input);
  void end();
  void fail(const mqtt::Error& error);

  Callbacks callbacks_;
  LineSplitter splitter_;
  Stdin input_;
  bool input_ended_ = false;
  bool at_end_ = false;
};

}  // namespace mq
