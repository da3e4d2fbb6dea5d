#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <mqtt/codec/decode_error.hpp>

namespace mqtt {

/// What a Reader collects that does not stop at the first fault. More faults than a packet of any use has are
/// not listed: one of a thousand empty topic filters must not make a thousand findings.
class FaultList {
 public:
  static constexpr std::size_t faults_max = 32;

  void add(const DecodeError& fault) {
    ++met_;
    if (!doubted_ && faults_.size() < faults_max && !lists(fault)) faults_.push_back(fault);
  }
  /// What is behind is not where it seems to be, perhaps: what is found from here on is not listed.
  void doubt() { doubted_ = true; }
  void lose(std::uint32_t at) { lost_at_ = at; }

  /// In the order of reading.
  [[nodiscard]] const std::vector<DecodeError>& faults() const { return faults_; }
  /// Faults so far, listed or not.
  [[nodiscard]] std::size_t met() const { return met_; }
  /// From where on nothing could be read.
  [[nodiscard]] std::optional<std::uint32_t> lost_at() const { return lost_at_; }

 private:
  /// Two bits of one byte may break the same rule.
  [[nodiscard]] bool lists(const DecodeError& fault) const {
    for (const DecodeError& each : faults_)
      if (each.clause == fault.clause && each.offset == fault.offset) return true;
    return false;
  }

  std::vector<DecodeError> faults_;
  std::size_t met_ = 0;
  bool doubted_ = false;
  std::optional<std::uint32_t> lost_at_;
};

}  // namespace mqtt
