#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/screen.hpp"
#include "mqsub/presenter.hpp"

namespace mq {

/// What a terminal is shown instead of the messages, frame by frame.
class ScreenContent {
 public:
  virtual ~ScreenContent() = default;

  virtual void add(const mqtt::PublishView& message, WallTime received) = 0;
  /// A frame: the first line is a heading, and there are `rows` lines at most.
  [[nodiscard]] virtual std::vector<std::string> frame(std::size_t rows) = 0;
  [[nodiscard]] virtual mqtt::Duration interval() const = 0;
  /// An interval is over.
  virtual void tick() {}
};

[[nodiscard]] std::unique_ptr<ScreenContent> make_watch(const OutputConfig& output);
[[nodiscard]] std::unique_ptr<ScreenContent> make_stats(std::size_t depth);
[[nodiscard]] std::unique_ptr<ScreenContent> make_tree();

/// Draws it on standard output's second screen, and leaves the first one as it was.
[[nodiscard]] std::unique_ptr<Presenter> make_screen_view(std::unique_ptr<ScreenContent> content);

}  // namespace mq
