#include "mqsub/presenter.hpp"

#include <fmt/format.h>

#include <utility>

namespace mq {
namespace {

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
  [[nodiscard]] std::optional<mqtt::Duration> interval() const override { return std::chrono::seconds{1}; }
  void tick(std::string& out) override { out += fmt::format("{}\n", std::exchange(count_, 0)); }

 private:
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Presenter> make_presenter(ViewKind kind, const OutputConfig& output, bool to_terminal,
                                          MessageOutput::OnFault on_fault) {
  if (kind == ViewKind::message_rate) return std::make_unique<RatePresenter>();
  return std::make_unique<MessagePresenter>(
      output, to_terminal ? PlainEscape::for_terminal : PlainEscape::exact, std::move(on_fault));
}

}  // namespace mq
