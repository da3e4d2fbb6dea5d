#pragma once
#include <span>

#include "mqspy/record.hpp"
#include "mqspy/selector.hpp"

// Records as selectors see them.

namespace mq::spy {

class OpenSubject final : public Subject {
 public:
  explicit OpenSubject(const OpenRecord& record) : record_{record} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const OpenRecord& record_;
};

/// A packet, with what is known of its connection.
class PacketSubject final : public Subject {
 public:
  explicit PacketSubject(const PacketRecord& record) : record_{record} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const PacketRecord& record_;
};

/// One of the findings about a packet or an end.
class FindingSubject final : public Subject {
 public:
  FindingSubject(const Link& link, const mqtt::FlowState& state, const mqtt::Finding& finding)
      : link_{link}, state_{state}, finding_{finding} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const Link& link_;
  const mqtt::FlowState& state_;
  const mqtt::Finding& finding_;
};

class CloseSubject final : public Subject {
 public:
  explicit CloseSubject(const CloseRecord& record) : record_{record} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const CloseRecord& record_;
};

/// What only has a kind, and perhaps a connection, a direction and a time: gaps, faults, notes.
class PlainSubject final : public Subject {
 public:
  PlainSubject(std::string_view kind, const Link* link, std::optional<mqtt::TimePoint> time,
               std::optional<mqtt::Sender> sender)
      : kind_{kind}, link_{link}, time_{time}, sender_{sender} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  std::string_view kind_;
  const Link* link_;
  std::optional<mqtt::TimePoint> time_;
  std::optional<mqtt::Sender> sender_;
};

}  // namespace mq::spy
