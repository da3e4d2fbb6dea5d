#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "common/exit_code.hpp"
#include "messages/expectation.hpp"

namespace mq {

/// When it ends, and whether that is a success.
struct EndingConfig {
  std::optional<std::uint64_t> count;          ///< -C
  std::optional<mqtt::Duration> deadline;      ///< -W
  std::optional<mqtt::Duration> idle_timeout;  ///< --idle-timeout
  std::optional<Expectation> expectation;      ///< --expect
  bool fail_on_timeout = false;                ///< --fail-on-timeout
  bool after_subscribing = false;              ///< -E
};

/// Counts what was shown and says what an ending is worth.
class Goal {
 public:
  /// `config` must outlive it.
  explicit Goal(const EndingConfig& config) : config_{config} {}

  void on_shown(const mqtt::PublishView& message);

  /// Nothing more is wanted.
  [[nodiscard]] bool reached() const { return met_ || (config_.count && shown_ >= *config_.count); }
  [[nodiscard]] std::uint64_t shown() const { return shown_; }

  enum class Cause : std::uint8_t {
    done,     ///< nothing more is wanted, or nothing more comes
    timeout,  ///< -W or --idle-timeout
  };
  [[nodiscard]] ExitCode verdict(Cause cause) const;
  /// "2 of 10 messages received"
  [[nodiscard]] std::string progress() const;

 private:
  const EndingConfig& config_;
  std::uint64_t shown_ = 0;
  bool met_ = false;  // what was expected has come
};

}  // namespace mq
