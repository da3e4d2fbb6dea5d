#include "conversation.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include <mqtt/inspect/neighbours.hpp>
#include <mqtt/inspect/post_mortem.hpp>
#include <mqtt/util/text.hpp>

#include "session/packet_text.hpp"
#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

/// One conversation being held in one version.
class Player final : private FlowWatcher {
 public:
  Player(const Conversation& conversation, Version version)
      : conversation_{conversation}, version_{version} {}

  Outcome run() {
    meet();
    open(Flow::Start::connection);
    for (const std::string& line : conversation_.lines) {
      const auto own = for_this_version(line);
      if (!own) continue;
      if (!own->starts_with("! ")) expect_found();
      line_ = line;
      step(*own);
    }
    expect_found();
    return std::move(outcome_);
  }

 private:
  /// The line without "5: ", if it is for this version.
  [[nodiscard]] std::optional<std::string_view> for_this_version(std::string_view line) const {
    static constexpr std::pair<std::string_view, unsigned> prefixes[] = {
        {"5: ", 1u << 5}, {"3: ", 1u << 3 | 1u << 4}, {"31: ", 1u << 3}, {"311: ", 1u << 4}};
    for (const auto& [prefix, versions] : prefixes) {
      if (!line.starts_with(prefix)) continue;
      if ((versions >> static_cast<unsigned>(version_) & 1) == 0) return std::nullopt;
      return line.substr(prefix.size());
    }
    return line;
  }

  void step(std::string_view line) {
    const auto after = [&](std::string_view word) { return line.substr(word.size()); };
    if (line == "middle") {
      open(Flow::Start::middle);
    } else if (line == "--") {
      others_.clear();
      meet();
      open(Flow::Start::connection);
      now_ = {};
    } else if (line.starts_with("on ")) {
      go_on(line[3]);
    } else if (line == "byte by byte") {
      by_byte_ = true;
    } else if (line.starts_with(">hex ") || line.starts_with("<hex ")) {
      receive(line[0], unhex(after(">hex ")));
    } else if (line.starts_with("> ") || line.starts_with("< ")) {
      packet(line[0], after("> "));
    } else if (line.starts_with("at ")) {
      now_ = TimePoint{parse_duration(after("at ")).value_or(Duration{})};
    } else if (line.starts_with("gap ")) {
      flow_->gap(sender_of(line[4]));
    } else if (line.starts_with("websocket ")) {
      websocket(after("websocket "));
    } else if (line.starts_with("close ")) {
      close(after("close "));
    } else if (line.starts_with("= ")) {
      expect_seen(after("= "));
    } else if (line.starts_with("why ")) {
      if (after("why ") != why_) problem(fmt::format("found \"{}\"", why_));
    } else if (line.starts_with("! ")) {
      expected_.emplace_back(after("! "));
    } else {
      problem("is no line of a conversation");
    }
  }

  void open(Flow::Start start) {
    if (start == Flow::Start::connection || outcome_.connections.empty()) outcome_.connections.emplace_back();
    number_ = '1';
    begin(start);
  }

  void begin(Flow::Start start) {
    flow_ = std::make_unique<Flow>(start);
    by_byte_ = false;
    last_error_.reset();
  }

  void meet() {
    neighbours_ = std::make_unique<Neighbours>([this](std::uint64_t connection) {
      const auto found = others_.find(static_cast<char>(connection));
      return found == others_.end() ? nullptr : found->second.get();
    });
  }
  [[nodiscard]] Neighbours::Place place() const { return {static_cast<std::uint64_t>(number_), {}}; }

  void go_on(char number) {
    others_[number_] = std::move(flow_);
    number_ = number;
    flow_ = std::move(others_[number]);
    if (!flow_) begin(Flow::Start::connection);
  }

  void websocket(std::string_view words) {
    WebSocketFacts& facts = flow_->websocket();
    if (words == "offers nothing") facts.offers_mqtt = false;
    if (words == "selects nothing") facts.selects_mqtt = false;
    if (words.starts_with("text ")) facts.sent_text[static_cast<std::size_t>(sender_of(words[5]))] = true;
  }

  void close(std::string_view words) {
    FlowClose close{.time = now_};
    if (!words.starts_with("nobody"))
      close.by = words.starts_with("client") ? Sender::client : Sender::server;
    close.how = words.ends_with("fin")     ? FlowClose::How::fin
                : words.ends_with("reset") ? FlowClose::How::reset
                                           : FlowClose::How::unknown;
    flow_->close(close, *this);
  }

  /// What was found since the last call is what the lines said.
  void expect_found() {
    std::vector<std::string> found;
    for (const Finding& f : findings_) {
      found.push_back(text_of(f));
      if (f.rule) outcome_.connections.back().broken.insert(f.rule);
    }
    std::ranges::sort(found);
    std::ranges::sort(expected_);
    if (judged_ && found != expected_)
      problem(fmt::format("found \"{}\", not \"{}\"", fmt::join(found, "\", \""),
                          fmt::join(expected_, "\", \"")));
    findings_.clear();
    expected_.clear();
  }

  static std::string text_of(const Finding& f) {
    static constexpr std::string_view severities[] = {"error", "warning", "info"};
    std::string text = fmt::format("{} {} {}", f.clause, f.side == Sender::client ? "client" : "server",
                                   severities[static_cast<std::size_t>(f.severity)]);
    if (f.offset + f.size != 0) text += fmt::format(" @{}+{}", f.offset, f.size);
    if (f.other != 0) text += fmt::format(" #{}", f.other);
    return text;
  }

  static Sender sender_of(char direction) { return direction == '>' ? Sender::client : Sender::server; }

  void packet(char direction, std::string_view text) {
    std::string fault;
    const auto packet = parse_packet(text, version_, fault);
    if (!packet) return problem(fault);
    receive(direction, encoded(packet->view, version_));
  }

  void receive(char direction, const std::vector<std::uint8_t>& bytes) {
    seen_.clear();
    const Bytes all{bytes};
    for (std::size_t at = 0; at < all.size() && by_byte_; ++at)
      flow_->receive(sender_of(direction), now_, all.subspan(at, 1), *this);
    if (!by_byte_) flow_->receive(sender_of(direction), now_, all, *this);
    seen_.insert(fmt::format("skipped {}", flow_->skipped()));
    seen_.insert(fmt::format("packets {}", flow_->state().packets));
  }

  void expect_seen(std::string_view words) {
    for (std::string& word : split(words, ',')) {
      word.erase(0, word.find_first_not_of(' '));
      if (!seen_.contains(word)) problem(fmt::format("not \"{}\" but \"{}\"", word, fmt::join(seen_, ", ")));
    }
  }

  void before_packet(const FlowPacket& packet, const FlowState& state) override {
    outcome_.connections.back().types |= 1u << (packet.bytes[0] >> 4);
    lint(packet, state, findings_, neighbours_->origins(place(), packet));
    if (!findings_.empty() && findings_.back().severity == Severity::error) last_error_ = findings_.back();
    seen_.clear();
    seen_.insert(fmt::format("version {}", to_string(packet.version)));
    if (packet.answers)
      seen_.insert(fmt::format("answers {} {}", packet.answers->number,
                               format_duration(packet.step.time - packet.answers->time)));
    else
      seen_.insert("unanswered");
    for (const DecodeError& fault : packet.broken ? packet.broken->faults : std::vector<DecodeError>{})
      seen_.insert(fmt::format("fault {}@{}", fault.clause, fault.offset));
    seen_.insert(fmt::format("topic {}", packet.topic));
  }

  void after_packet(const FlowPacket& packet, const FlowState& state) override {
    neighbours_->take_in(place(), packet, *flow_);
    seen_.insert(
        fmt::format("in-flight {} {}", state.sides[0].messages.size(), state.sides[1].messages.size()));
  }

  void on_close(const FlowClose& close, const FlowState& state) override {
    outcome_.connections.back().types |= 1;
    lint(close, state, findings_);
    neighbours_->ended(place(), state, close.time);
    why_ = post_mortem(close, state, last_error_).text;
  }

  void problem(std::string_view what) {
    outcome_.problems.push_back(fmt::format("{} [{}] {}: {}: {}", conversation_.file, conversation_.name,
                                            to_string(version_), line_, what));
  }

  const Conversation& conversation_;
  Version version_;
  std::unique_ptr<Flow> flow_;
  char number_ = '1';                             // of the connection, as "on" names it
  std::map<char, std::unique_ptr<Flow>> others_;  // of the same server
  std::unique_ptr<Neighbours> neighbours_;
  TimePoint now_{};
  bool by_byte_ = false;
  std::set<std::string> seen_;
  std::string line_;
  const bool judged_ = conversation_.file.starts_with("lint");
  std::vector<Finding> findings_;
  std::vector<std::string> expected_;
  std::optional<Finding> last_error_;
  std::string why_;
  Outcome outcome_;
};

Version version_of(std::string_view word) {
  return word == "31" ? Version::v3_1 : word == "311" ? Version::v3_1_1 : Version::v5;
}

}  // namespace

std::vector<Conversation> read_conversations(const std::string& file) {
  std::vector<Conversation> out;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      out.push_back({file.substr(file.rfind('/') + 1),
                     line.substr(1, line.size() - 2),
                     {std::begin(all_versions), std::end(all_versions)},
                     {}});
    } else if (line.starts_with("versions ")) {
      out.back().versions.clear();
      for (const std::string& word : split(line.substr(9), ' '))
        out.back().versions.push_back(version_of(word));
    } else {
      out.back().lines.push_back(line);
    }
  }
  return out;
}

Outcome play(const Conversation& conversation, Version version) {
  return Player{conversation, version}.run();
}

}  // namespace mqtt::test
