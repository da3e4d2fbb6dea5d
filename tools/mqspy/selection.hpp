#pragma once
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
  struct Wishes {
    std::vector<Awaited> expected;  ///< all of them
    std::vector<Selector> stop_on;  ///< any of them is the end
  };
  /// Time counts from `began`; without it from the first record. `behind` must outlive it.
  WatchSink(Wishes wishes, std::optional<mqtt::TimePoint> began, RecordSink& behind);

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
  /// The first that was expected and has not come, or not in time; null: none.
  [[nodiscard]] const Awaited* missing() const;
  /// Until then all of it can come.
  [[nodiscard]] std::optional<mqtt::Duration> patience() const;

 private:
  void look(const Subject& subject, std::optional<mqtt::TimePoint> time);

  Wishes wishes_;
  std::vector<bool> met_;
  std::optional<mqtt::TimePoint> began_;
  RecordSink& behind_;
  bool stopped_ = false;
};

}  // namespace mq::spy
