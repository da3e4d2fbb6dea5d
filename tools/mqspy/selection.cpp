#include "mqspy/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqspy/subject.hpp"

namespace mq::spy {
void FilterSink::on_open(const OpenRecord& record) {
  if (selector_.matches(OpenSubject{record})) behind_.on_open(record);
}
void FilterSink::on_packet(const PacketRecord& record) {
  if (selector_.matches(PacketSubject{record})) behind_.on_packet(record);
}
void FilterSink::on_close(const CloseRecord& record) {
  if (selector_.matches(CloseSubject{record})) behind_.on_close(record);
}
void FilterSink::on_gap(const GapRecord& record) {
  if (selector_.matches(GapSubject{record})) behind_.on_gap(record);
}
void FilterSink::on_fault(const FaultRecord& record) {
  if (selector_.matches(FaultSubject{record})) behind_.on_fault(record);
}
void FilterSink::on_note(const NoteRecord& record) {
  if (selector_.matches(NoteSubject{record})) behind_.on_note(record);
}

std::expected<Awaited, SelectorFault> Awaited::parse(std::string_view text) {
  auto front = Selector::parse_front(text);
  if (!front) return std::unexpected(std::move(front.error()));
  Awaited made{.selector = std::move(front->selector), .text = std::string{text}};
  const std::string_view rest = text.substr(front->size);
  if (rest.empty()) return made;
  constexpr std::string_view word = "within ";
  if (!rest.starts_with(word))
    return std::unexpected(SelectorFault{front->size + 1, "\"&&\", \"||\" or \"within\" is missing"});
  const std::size_t start = std::min(rest.find_first_not_of(' ', word.size()), rest.size());
  const std::string_view limit = rest.substr(start, rest.find_last_not_of(' ') + 1 - start);
  made.within = mqtt::parse_duration(limit);
  if (made.within) return made;
  return std::unexpected(SelectorFault{front->size + start + 1,
                                       fmt::format("{} is not a duration like 500ms", in_quotes(limit))});
}

WatchSink::WatchSink(Wishes wishes, std::optional<mqtt::TimePoint> began, RecordSink& behind,
                     Afterwards afterwards)
    : wishes_{std::move(wishes)},
      met_(wishes_.expected.size()),
      began_{began},
      behind_{behind},
      afterwards_{afterwards} {}

void WatchSink::look(const Subject& subject, std::optional<mqtt::TimePoint> time) {
  if (!began_) began_ = time;
  if (met_.empty() && wishes_.stop_on.empty()) return;
  for (std::size_t i = 0; i < met_.size(); ++i) {
    const Awaited& awaited = wishes_.expected[i];
    const bool late = awaited.within && time && *time - *began_ > *awaited.within;
    if (!met_[i] && !late && awaited.selector.matches(subject)) met_[i] = true;
  }
  stopped_ = stopped_ || std::ranges::any_of(wishes_.stop_on, [&subject](const Selector& selector) {
               return selector.matches(subject);
             });
  over_ = over_ || stopped_ || all_met() || too_late(time);
}

void WatchSink::count_errors(std::span<const mqtt::Finding> findings) {
  for (const mqtt::Finding& finding : findings)
    if (finding.severity == mqtt::Severity::error && !over_) ++errors_;
}

bool WatchSink::too_late(std::optional<mqtt::TimePoint> time) const {
  const auto limit = patience();
  return limit && time && *time - *began_ > *limit;
}

void WatchSink::on_open(const OpenRecord& record) {
  if (silent()) return;
  behind_.on_open(record);
  look(OpenSubject{record}, record.link.opened);
}
void WatchSink::on_packet(const PacketRecord& record) {
  if (silent()) return;
  count_errors(record.findings);
  behind_.on_packet(record);
  look(PacketSubject{record}, record.packet.step.time);
}
void WatchSink::on_close(const CloseRecord& record) {
  if (silent()) return;
  count_errors(record.findings);
  behind_.on_close(record);
  look(CloseSubject{record}, record.close.time);
}
void WatchSink::on_gap(const GapRecord& record) {
  if (silent()) return;
  behind_.on_gap(record);
  look(GapSubject{record}, record.time);
}
void WatchSink::on_fault(const FaultRecord& record) {
  if (silent()) return;
  behind_.on_fault(record);
  look(FaultSubject{record}, record.time);
}
void WatchSink::on_note(const NoteRecord& record) {
  if (silent()) return;
  behind_.on_note(record);
  look(NoteSubject{record}, record.time);
}

const Awaited* WatchSink::missing() const {
  const auto unmet = std::ranges::find(met_, false);
  if (unmet == met_.end()) return nullptr;
  return &wishes_.expected[static_cast<std::size_t>(unmet - met_.begin())];
}

std::optional<mqtt::Duration> WatchSink::patience() const {
  std::optional<mqtt::Duration> longest;
  for (const Awaited& awaited : wishes_.expected) {
    if (!awaited.within) return std::nullopt;
    longest = std::max(longest.value_or(mqtt::Duration{}), *awaited.within);
  }
  return longest;
}

}  // namespace mq::spy
