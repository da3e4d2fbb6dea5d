#include "mqsub/presenter.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "common/diag.hpp"
#include "mqsub/retained_diff.hpp"
#include "mqsub/screen_view.hpp"
#include "mqsub/topic_outline.hpp"
#include "mqsub/topic_rates.hpp"

namespace mq {
namespace {

using namespace std::chrono_literals;

class MessagePresenter final : public Presenter {
 public:
  MessagePresenter(const OutputConfig& config, PlainEscape escape, MessageOutput::OnFault on_fault)
      : output_{config, escape, std::move(on_fault)} {}

  void begin(std::string& out) override { output_.begin(out); }
  void show(std::string& out, const mqtt::PublishView& message, WallTime received) override {
    output_.write(out, message, received);
  }

 private:
  MessageOutput output_;
};

/// --message-rate: each second how many there were.
class RatePresenter final : public Presenter {
 public:
  void show(std::string&, const mqtt::PublishView&, WallTime) override { ++count_; }
  [[nodiscard]] std::optional<mqtt::Duration> interval() const override { return 1s; }
  void tick(std::string& out) override { out += fmt::format("{}\n", std::exchange(count_, 0)); }

 private:
  std::uint64_t count_ = 0;
};

/// --stats where there is no terminal: each second, and at the end, a line, with tabs, for all and for each
/// group that had messages: time, topics, messages in all, messages and bytes of that second.
class StatsPresenter final : public Presenter {
 public:
  explicit StatsPresenter(std::size_t depth) : rates_{depth} {}

  void show(std::string&, const mqtt::PublishView& message, WallTime) override {
    rates_.add(message.topic, message.payload.size());
  }
  [[nodiscard]] std::optional<mqtt::Duration> interval() const override { return 1s; }
  void tick(std::string& out) override { write(out, rates_.take(1s)); }
  /// The last second may be shorter; what came in it counts.
  void finish(std::string& out) override {
    if (const auto rows = rates_.take(1s); rows.front().per_second > 0) write(out, rows);
  }

 private:
  void write(std::string& out, const std::vector<TopicRates::Row>& rows) {
    const std::string time{clock_.rfc3339(Diag::system_clock())};
    for (const TopicRates::Row& row : rows)
      if (row.filter == "#" || row.per_second > 0)
        out += fmt::format("{}\t{}\t{}\t{:.0f}\t{:.0f}\n", time, row.filter, row.messages, row.per_second,
                           row.bytes_per_second);
  }

  TopicRates rates_;
  WallClockText clock_;
};

/// --tree where there is no terminal: the tree, at the end.
class TreePresenter final : public Presenter {
 public:
  void show(std::string&, const mqtt::PublishView& message, WallTime) override {
    outline_.add(message.topic, mqtt::as_text(message.payload));
  }
  void finish(std::string& out) override {
    for (const std::string& line : outline_.lines(std::numeric_limits<std::size_t>::max()))
      (out += line) += '\n';
  }

 private:
  TopicOutline outline_;
};

class DiffPresenter final : public Presenter {
 public:
  explicit DiffPresenter(RetainedDiff difference) : difference_{std::move(difference)} {}

  void show(std::string&, const mqtt::PublishView& message, WallTime) override { difference_.add(message); }
  void finish(std::string& out) override { difference_.append(out); }
  [[nodiscard]] bool found_difference() const override { return difference_.differs(); }

 private:
  RetainedDiff difference_;
};

class NoPresenter final : public Presenter {
 public:
  void show(std::string&, const mqtt::PublishView&, WallTime) override {}
};

}  // namespace

std::unique_ptr<Presenter> make_diff_presenter(RetainedDiff difference) {
  return std::make_unique<DiffPresenter>(std::move(difference));
}

std::unique_ptr<Presenter> make_presenter(const PresenterConfig& config, const OutputConfig& output,
                                          bool to_terminal, MessageOutput::OnFault on_fault) {
  switch (config.kind) {
    case ViewKind::message_rate: return std::make_unique<RatePresenter>();
    case ViewKind::watch:
      if (to_terminal) return make_screen_view(make_watch(output));
      break;
    case ViewKind::stats:
      if (to_terminal) return make_screen_view(make_stats(config.stats_depth));
      return std::make_unique<StatsPresenter>(config.stats_depth);
    case ViewKind::tree:
      if (to_terminal) return make_screen_view(make_tree());
      return std::make_unique<TreePresenter>();
    case ViewKind::nothing: return std::make_unique<NoPresenter>();
    case ViewKind::messages: break;
  }
  return std::make_unique<MessagePresenter>(
      output, to_terminal ? PlainEscape::for_terminal : PlainEscape::exact, std::move(on_fault));
}

}  // namespace mq
