#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqspy/record.hpp"
#include "mqspy/selector.hpp"

// Records that an expression chooses: those that are shown, and those that are waited for.

namespace mq::spy {

/// Lets through what a selector chooses.
class FilterSink final : public RecordSink {
 public:
  /// `behind` must outlive it.
  FilterSink(Selector selector, RecordSink& behind) : selector_{std::move(selector)}, behind_{behind} {}

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord& record) override;
  void on_note(const NoteRecord& record) override;
  void on_end() override { behind_.on_end(); }

 private:
  Selector selector_;
  RecordSink& behind_;
};

/// "SELECTOR [within 500ms]": something that has to come.
struct Awaited {
  Selector selector;
  std::optional<mqtt::Duration> within{};  ///< counted from the beginning
  std::string text{};

  [[nodiscard]] static std::expected<Awaited, SelectorFault> parse(std::string_view text);
};

/// Looks for what is awaited, and hands everything on.
class WatchSink final : public RecordSink {
 public:
  /// What comes once it is over().
  enum class Afterwards : std::uint8_t { handed_on, dropped };

  struct Wishes {
    std::vector<Awaited> expected;  ///< all of them
    std::vector<Selector> stop_on;  ///< any of them is the end
  };
  /// Time counts from `began`; without it from the first record. `behind` must outlive it.
  WatchSink(Wishes wishes, std::optional<mqtt::TimePoint> began, RecordSink& behind,
            Afterwards afterwards = Afterwards::handed_on);

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord& record) override;
  void on_fault(const FaultRecord& record) override;
  void on_note(const NoteRecord& record) override;
  void on_end() override { behind_.on_end(); }

  /// What was asked for in `stop_on` has come.
  [[nodiscard]] bool stopped() const { return stopped_; }
  /// Something was expected, and all of it has come in time.
  [[nodiscard]] bool all_met() const { return !wishes_.expected.empty() && missing() == nullptr; }
  /// Findings that are errors, until it was over.
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  /// Nothing that comes can change the outcome: it stopped, all has come, or it is too late for what has not,
  /// by the times of the records.
  [[nodiscard]] bool over() const { return over_; }
  /// The first that was expected and has not come, or not in time; null: none.
  [[nodiscard]] const Awaited* missing() const;
  /// Until then all of it can come.
  [[nodiscard]] std::optional<mqtt::Duration> patience() const;

 private:
  void count_errors(std::span<const mqtt::Finding> findings);
  [[nodiscard]] bool silent() const { return over_ && afterwards_ == Afterwards::dropped; }
  void look(const Subject& subject, std::optional<mqtt::TimePoint> time);
  [[nodiscard]] bool too_late(std::optional<mqtt::TimePoint> time) const;

  Wishes wishes_;
  std::vector<bool> met_;
  std::optional<mqtt::TimePoint> began_;
  RecordSink& behind_;
  Afterwards afterwards_;
  std::uint64_t errors_ = 0;
  bool stopped_ = false;
  bool over_ = false;
};

}  // namespace mq::spy
