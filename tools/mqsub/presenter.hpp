#pragma once
#include <memory>
#include <optional>
#include <string>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "common/wall_time.hpp"
#include "messages/output_options.hpp"

namespace mq {

/// What to write instead of the messages.
enum class ViewKind : std::uint8_t { messages, message_rate };

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
};

[[nodiscard]] std::unique_ptr<Presenter> make_presenter(ViewKind kind, const OutputConfig& output,
                                                        bool to_terminal,
                                                        MessageOutput::OnFault on_fault = {});

}  // namespace mq
