#include "mqsub/screen_view.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "mqsub/topic_outline.hpp"
#include "mqsub/topic_rates.hpp"

namespace mq {
namespace {

using namespace std::chrono_literals;

constexpr mqtt::Duration redraw_interval = 200ms;
constexpr std::size_t note_bytes_max = 1000;

class ScreenView final : public Presenter {
 public:
  explicit ScreenView(std::unique_ptr<ScreenContent> content) : content_{std::move(content)} {}

  void begin(std::string& out) override {
    screen_.open(out);
    redraw(out);
  }
  void show(std::string&, const mqtt::PublishView& message, WallTime received) override {
    content_->add(message, received);
  }
  [[nodiscard]] std::optional<mqtt::Duration> interval() const override { return content_->interval(); }
  void tick(std::string& out) override {
    content_->tick();
    redraw(out);
  }
  void finish(std::string& out) override { screen_.close(out); }
  [[nodiscard]] bool owns_screen() const override { return true; }
  void note(std::string_view line) override {
    note_ = one_line(line.substr(0, line.find_last_not_of('\n') + 1), note_bytes_max);
  }

  void redraw(std::string& out) override {
    if (!screen_.is_open()) return;
    const ScreenSize size = screen_size(STDOUT_FILENO);
    const bool noted = !note_.empty() && size.rows > 1;
    std::vector<std::string> lines = content_->frame(noted ? size.rows - 1 : size.rows);
    if (noted) lines.push_back(note_);
    screen_.draw(out, lines, size);
  }

 private:
  std::unique_ptr<ScreenContent> content_;
  Screen screen_;
  std::string note_;
};

/// Takes away what does not fit and says how much that was.
void fold(std::vector<std::string>& lines, std::size_t rows) {
  if (lines.size() <= rows || rows == 0) return;
  const std::size_t hidden = lines.size() - rows + 1;
  lines.resize(rows - 1);
  lines.push_back(fmt::format("… {} more", hidden));
}

/// --watch: each topic has its line, in the order in which they came.
class Watch final : public ScreenContent {
 public:
  explicit Watch(const OutputConfig& output) : config_{output}, output_{config_, PlainEscape::for_terminal} {}

  void add(const mqtt::PublishView& message, WallTime received) override {
    ++messages_;
    const auto at = indices_.find(message.topic);
    if (at == indices_.end() && lines_.size() >= topics_max) return;
    const std::size_t index = at == indices_.end() ? lines_.size() : at->second;
    if (index == lines_.size()) {
      indices_.emplace(message.topic, index);
      lines_.emplace_back();
    }
    std::string& line = lines_[index];
    line.clear();
    output_.write(line, message, received);
    line.resize(std::min({line.find('\n'), line.size(), line_bytes_max}));
  }

  [[nodiscard]] std::vector<std::string> frame(std::size_t rows) override {
    std::vector<std::string> lines{topics_and_messages(lines_.size(), messages_)};
    lines.insert(lines.end(), lines_.begin(), lines_.end());
    fold(lines, rows);
    return lines;
  }
  [[nodiscard]] mqtt::Duration interval() const override { return redraw_interval; }

 private:
  static constexpr std::size_t topics_max = 10'000;
  static constexpr std::size_t line_bytes_max = 4096;

  OutputConfig config_;
  MessageOutput output_;
  std::map<std::string, std::size_t, std::less<>> indices_;
  std::vector<std::string> lines_;
  std::uint64_t messages_ = 0;
};

/// "1.2k"
std::string short_number(double value) {
  for (const char* unit : {"", "k", "M", "G"}) {
    if (value < 1000)
      return value < 10 && *unit ? fmt::format("{:.1f}{}", value, unit)
                                 : fmt::format("{:.0f}{}", value, unit);
    value /= 1000;
  }
  return fmt::format("{:.0f}T", value);
}

class Stats final : public ScreenContent {
 public:
  explicit Stats(std::size_t depth) : rates_{depth} { tick(); }

  void add(const mqtt::PublishView& message, WallTime) override {
    rates_.add(message.topic, message.payload.size());
  }
  void tick() override { rows_ = rates_.take(interval()); }
  [[nodiscard]] std::vector<std::string> frame(std::size_t rows) override {
    std::vector<std::string> lines{
        fmt::format("{:>10} {:>10} {:>10}  {}", "messages/s", "bytes/s", "messages", "topics")};
    for (const TopicRates::Row& row : rows_)
      lines.push_back(fmt::format("{:>10} {:>10} {:>10}  {}", short_number(row.per_second),
                                  short_number(row.bytes_per_second), row.messages,
                                  one_line(row.filter, 1000)));
    fold(lines, rows);
    return lines;
  }
  [[nodiscard]] mqtt::Duration interval() const override { return 1s; }

 private:
  TopicRates rates_;
  std::vector<TopicRates::Row> rows_;
};

class Tree final : public ScreenContent {
 public:
  void add(const mqtt::PublishView& message, WallTime) override {
    outline_.add(message.topic, mqtt::as_text(message.payload));
  }
  [[nodiscard]] std::vector<std::string> frame(std::size_t rows) override {
    std::vector<std::string> lines{topics_and_messages(outline_.topics(), outline_.messages())};
    if (rows < 2) return lines;
    std::vector<std::string> tree = outline_.lines(rows - 1);
    lines.insert(lines.end(), std::make_move_iterator(tree.begin()), std::make_move_iterator(tree.end()));
    return lines;
  }
  [[nodiscard]] mqtt::Duration interval() const override { return redraw_interval; }

 private:
  TopicOutline outline_;
};

}  // namespace

std::unique_ptr<ScreenContent> make_watch(const OutputConfig& output) {
  return std::make_unique<Watch>(output);
}
std::unique_ptr<ScreenContent> make_stats(std::size_t depth) { return std::make_unique<Stats>(depth); }
std::unique_ptr<ScreenContent> make_tree() { return std::make_unique<Tree>(); }

std::unique_ptr<Presenter> make_screen_view(std::unique_ptr<ScreenContent> content) {
  return std::make_unique<ScreenView>(std::move(content));
}

}  // namespace mq
