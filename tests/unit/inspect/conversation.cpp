#include "conversation.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include <mqtt/inspect/flow.hpp>
#include <mqtt/util/text.hpp>

#include "session/packet_text.hpp"
#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

/// One conversation being held in one version.
class Player final : private FlowHandler {
 public:
  Player(const Conversation& conversation, Version version)
      : conversation_{conversation}, version_{version} {}

  std::vector<std::string> run() {
    const bool middle = std::ranges::find(conversation_.lines, "middle") != conversation_.lines.end();
    flow_.emplace(middle ? Flow::Start::middle : Flow::Start::connection);
    for (const std::string& line : conversation_.lines) {
      line_ = line;
      if (const auto own = for_this_version(line)) step(*own);
    }
    return problems_;
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
    if (line == "middle") return;
    if (line == "octet by octet") {
      by_octet_ = true;
    } else if (line.starts_with(">hex ") || line.starts_with("<hex ")) {
      receive(line[0], octets(after(">hex ")));
    } else if (line.starts_with("> ") || line.starts_with("< ")) {
      packet(line[0], after("> "));
    } else if (line.starts_with("at ")) {
      now_ = TimePoint{parse_duration(after("at ")).value_or(Duration{})};
    } else if (line.starts_with("gap ")) {
      flow_->gap(sender_of(line[4]));
    } else if (line.starts_with("= ")) {
      expect_seen(after("= "));
    } else {
      problem("is no line of a conversation");
    }
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
    for (std::size_t at = 0; at < all.size() && by_octet_; ++at)
      flow_->receive(sender_of(direction), now_, all.subspan(at, 1), *this);
    if (!by_octet_) flow_->receive(sender_of(direction), now_, all, *this);
    seen_.insert(fmt::format("skipped {}", flow_->skipped()));
    seen_.insert(fmt::format("packets {}", flow_->state().packets));
  }

  void expect_seen(std::string_view words) {
    for (std::string& word : split(words, ',')) {
      word.erase(0, word.find_first_not_of(' '));
      if (!seen_.contains(word)) problem(fmt::format("not \"{}\" but \"{}\"", word, fmt::join(seen_, ", ")));
    }
  }

  void before_packet(const FlowPacket& packet, const FlowState&) override {
    seen_.clear();
    seen_.insert(fmt::format("version {}", to_string(packet.version)));
    if (packet.answers)
      seen_.insert(fmt::format("answers {} {}", packet.answers->number,
                               format_duration(packet.step.time - packet.answers->time)));
    else
      seen_.insert("unanswered");
    if (packet.fault) seen_.insert(fmt::format("fault {}@{}", packet.fault->clause, packet.fault->offset));
    seen_.insert(fmt::format("topic {}", packet.topic));
  }

  void after_packet(const FlowPacket&, const FlowState& state) override {
    seen_.insert(
        fmt::format("in-flight {} {}", state.sides[0].messages.size(), state.sides[1].messages.size()));
  }

  void on_close(const FlowClose&, const FlowState&) override {}

  void problem(std::string_view what) {
    problems_.push_back(fmt::format("{} [{}] {}: {}: {}", conversation_.file, conversation_.name,
                                    to_string(version_), line_, what));
  }

  const Conversation& conversation_;
  Version version_;
  std::optional<Flow> flow_;
  TimePoint now_{};
  bool by_octet_ = false;
  std::set<std::string> seen_;
  std::string line_;
  std::vector<std::string> problems_;
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

std::vector<std::string> play(const Conversation& conversation, Version version) {
  return Player{conversation, version}.run();
}

}  // namespace mqtt::test
