#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/reason.hpp>
#include <mqtt/util/time.hpp>

#include "mqspy/selector.hpp"

namespace mq::spy {

/// How `close` ends a connection.
enum class CloseKind : std::uint8_t { fin, rst };

/// What `set` makes of a field.
struct FieldChange {
  FieldName name;
  std::uint32_t number = 0;
  std::string text{};
};

/// What happens to a packet.
struct FaultAction {
  enum class Kind : std::uint8_t {
    delay,       ///< `duration` and up to `jitter` more or less later; what follows it waits behind it
    drop,        ///< it goes no further
    dup,         ///< it goes twice
    reorder,     ///< behind the next `count` packets of its direction, or a second later
    corrupt,     ///< `bytes` in place of those at `count`
    truncate,    ///< only its first `count` bytes go on
    split,       ///< in pieces of `count` bytes, written apart
    throttle,    ///< not faster than `rate` bytes per second
    hold,        ///< nothing goes on, either way, for `duration`
    set,         ///< with another value in a field
    reply,       ///< it goes no further, and its sender gets the answer to it, with `reason`
    close,       ///< the connection ends in its place
    disconnect,  ///< the same, after a DISCONNECT with `reason`
  };

  Kind kind = Kind::drop;
  mqtt::Duration duration{};
  mqtt::Duration jitter{};
  std::size_t count = 0;
  std::uint64_t rate = 0;
  std::string bytes{};
  FieldChange change{};
  mqtt::ReasonCode reason{};
  CloseKind how = CloseKind::fin;
  std::string text{};  ///< as it was written
};

/// Which of the packets that a selector chooses: all, unless said otherwise. What is said has to hold
/// together.
struct FaultTrigger {
  std::uint64_t nth = 0;    ///< only this one, from 1
  std::uint64_t every = 1;  ///< each so many-th
  std::uint64_t from = 1;   ///< not before this one
  std::uint64_t count = 0;  ///< only so many times; 0: always
  double p = 1;             ///< with this probability
};

struct FaultRule {
  Selector selector;
  FaultTrigger trigger;
  FaultAction action;
  std::string text;  ///< the whole rule as it was written

  /// "SELECTOR [nth=3] do ACTION"
  [[nodiscard]] static std::expected<FaultRule, SelectorFault> parse(std::string_view text);
};

}  // namespace mq::spy
