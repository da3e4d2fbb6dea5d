#include "mqbench/live_screen.hpp"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <utility>
#include <vector>

#include "common/held_lines.hpp"
#include "common/screen.hpp"
#include "mqbench/live_view.hpp"
#include "mqbench/result_file.hpp"

namespace mq::bench {
namespace {

constexpr std::size_t note_bytes_max = 1000;

/// Who has stopped the terminal's output (Ctrl-S) does not stop the run.
bool takes_output(int fd) {
  pollfd terminal{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&terminal, 1, 0) == 1 && (terminal.revents & POLLOUT) != 0;
}

class LiveScreen final : public ProgressReporter {
 public:
  LiveScreen(mqtt::net::Loop& loop, Diag& diag)
      : diag_{diag},
        colors_{use_color(diag.settings().color, STDERR_FILENO) ? Colors::ansi : Colors::none},
        resized_{std::in_place, loop, SIGWINCH, [this] { draw(); }} {
    held_.emplace(diag, [this](std::string_view line) { note(line); });
    std::string out;
    screen_.open(out);
    write(out);
  }

  ~LiveScreen() override { close(); }

  void give_back() override {
    if (!screen_.is_open()) return;
    close();
    diag_.info("waits for what is under way; a second signal ends it at once");
  }

  void begin(const LiveState& state, mqtt::TimePoint now) override { show(state, now); }

  void show(const LiveState& state, mqtt::TimePoint now) override {
    if (!screen_.is_open()) return;
    state_ = state;
    // What they point to changes until it is drawn anew.
    if (state.last_second) state_.last_second = &last_second_.emplace(*state.last_second);
    rates_ = log_.add(state, now);
    draw();
  }

 private:
  void close() {
    resized_.reset();
    std::string out;
    screen_.close(out);
    write(out);
    held_.reset();
  }

  void note(std::string_view line) {
    note_ = one_line(line.substr(0, line.find_last_not_of('\n') + 1), note_bytes_max);
    draw();
  }

  void draw() {
    if (!takes_output(STDERR_FILENO)) return;
    const ScreenSize size = screen_size(STDERR_FILENO);
    std::vector<std::string> lines = live_lines(state_, rates_, log_.received(), colors_, size);
    if (!note_.empty()) lines.insert(lines.begin() + 1, note_);
    std::string out;
    screen_.draw(out, lines, size);
    write(out);
  }

  static void write(std::string_view out) {
    static_cast<void>(write_all(STDERR_FILENO, out, "standard error"));  // there is nobody to tell
  }

  Diag& diag_;
  Screen screen_;
  Colors colors_;
  LiveState state_;
  std::optional<IntervalLatency> last_second_;
  LiveRates rates_;
  RateLog log_;
  std::string note_;
  std::optional<HeldLines> held_;
  std::optional<mqtt::net::SignalWatcher> resized_;
};

}  // namespace

std::unique_ptr<ProgressReporter> make_live_screen(mqtt::net::Loop& loop, Diag& diag) {
  return std::make_unique<LiveScreen>(loop, diag);
}

}  // namespace mq::bench
