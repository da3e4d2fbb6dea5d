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

/// Bytes that are missing.
class GapSubject final : public Subject {
 public:
  explicit GapSubject(const GapRecord& record) : record_{record} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const GapRecord& record_;
};

/// What the proxy did on purpose.
class FaultSubject final : public Subject {
 public:
  explicit FaultSubject(const FaultRecord& record) : record_{record} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const FaultRecord& record_;
};

/// What else there was to say.
class NoteSubject final : public Subject {
 public:
  explicit NoteSubject(const NoteRecord& record) : record_{record} {}
  [[nodiscard]] bool any(const FieldName& name, const Test& test) const override;

 private:
  const NoteRecord& record_;
};

}  // namespace mq::spy
