#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "common/wall_time.hpp"
#include "messages/output_options.hpp"

namespace mq {

/// What to write of the messages.
enum class ViewKind : std::uint8_t { messages, message_rate, watch, stats, tree, nothing };

/// Makes of messages what goes to standard output.
class Presenter {
 public:
  virtual ~Presenter() = default;

  /// Before everything else.
  virtual void begin(std::string&) {}
  /// Appends what the message leaves there; `received` is when it was read.
  virtual void show(std::string& out, const mqtt::PublishView& message, WallTime received) = 0;
  /// How often tick() wants to be called.
  [[nodiscard]] virtual std::optional<mqtt::Duration> interval() const { return std::nullopt; }
  virtual void tick(std::string&) {}
  /// The end of all output.
  virtual void finish(std::string&) {}

  /// What was to be compared is not the same.
  [[nodiscard]] virtual bool found_difference() const { return false; }

  /// It owns the screen: a line on stderr would disturb it.
  [[nodiscard]] virtual bool owns_screen() const { return false; }
  /// Draws anew, for a screen of another size.
  virtual void redraw(std::string&) {}
  /// A line for stderr that cannot be shown there.
  virtual void note(std::string_view) {}
};

struct PresenterConfig {
  ViewKind kind = ViewKind::messages;
  std::size_t stats_depth = 1;  ///< levels of a topic that --stats counts together
};

[[nodiscard]] std::unique_ptr<Presenter> make_presenter(const PresenterConfig& config,
                                                        const OutputConfig& output, bool to_terminal,
                                                        MessageOutput::OnFault on_fault = {});

class RetainedDiff;
/// Writes at the end what differs.
[[nodiscard]] std::unique_ptr<Presenter> make_diff_presenter(RetainedDiff difference);

}  // namespace mq
