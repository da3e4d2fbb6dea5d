// transcript FILE...: plays each transcript against a session, in every version it names, with input
// whole and byte by byte. README.md describes the lines.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/encode.hpp>
#include <mqtt/util/text.hpp>

#include "subject.hpp"

namespace mqtt::test {
namespace {

constexpr std::array<std::pair<std::string_view, SessionFault>, 19> fault_names{{
    {"not_connected", SessionFault::not_connected},
    {"wrong_state", SessionFault::wrong_state},
    {"invalid_topic", SessionFault::invalid_topic},
    {"bad_property", SessionFault::bad_property},
    {"bad_option", SessionFault::bad_option},
    {"bad_reason_code", SessionFault::bad_reason_code},
    {"field_too_long", SessionFault::field_too_long},
    {"packet_too_large", SessionFault::packet_too_large},
    {"qos_not_supported", SessionFault::qos_not_supported},
    {"retain_not_supported", SessionFault::retain_not_supported},
    {"wildcard_not_supported", SessionFault::wildcard_not_supported},
    {"shared_not_supported", SessionFault::shared_not_supported},
    {"subscription_identifier_not_supported", SessionFault::subscription_identifier_not_supported},
    {"alias_misuse", SessionFault::alias_misuse},
    {"quota_exhausted", SessionFault::quota_exhausted},
    {"no_packet_id", SessionFault::no_packet_id},
    {"session_expiry", SessionFault::session_expiry},
    {"no_authentication_method", SessionFault::no_authentication_method},
    {"bad_credentials", SessionFault::bad_credentials},
}};

constexpr std::array<std::pair<std::string_view, CloseReason>, 11> close_names{{
    {"local_disconnect", CloseReason::local_disconnect},
    {"peer_disconnect", CloseReason::peer_disconnect},
    {"refused", CloseReason::refused},
    {"protocol_error", CloseReason::protocol_error},
    {"connack_timeout", CloseReason::connack_timeout},
    {"ping_timeout", CloseReason::ping_timeout},
    {"auth_timeout", CloseReason::auth_timeout},
    {"authentication_failed", CloseReason::authentication_failed},
    {"connect_timeout", CloseReason::connect_timeout},
    {"keep_alive_timeout", CloseReason::keep_alive_timeout},
    {"overload", CloseReason::overload},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  const auto row = std::ranges::find(table, value, [](const auto& r) { return r.second; });
  return row == table.end() ? "?" : row->first;
}

struct Script {
  std::vector<std::string> lines;
  std::vector<Version> versions{Version::v3_1, Version::v3_1_1, Version::v5};
  SubjectConfig config;
  bool server = false;
};

std::string first_word(std::string_view line) { return std::string{line.substr(0, line.find(' '))}; }
std::string after_first_word(std::string_view line) {
  const auto space = line.find(' ');
  return space == std::string_view::npos ? "" : std::string{line.substr(space + 1)};
}

/// One way of playing a script: a version, and how input is cut.
class Play {
 public:
  Play(const Script& script, Version version, std::size_t input_part)
      : script_{script}, version_{version}, input_part_{input_part} {
    subject_ =
        script.server ? make_server(version, script.config, now_) : make_client(version, script.config);
  }

  /// What went wrong first, or nothing.
  std::string run() {
    for (std::size_t i = 0; i < script_.lines.size() && problem_.empty(); ++i) {
      std::string line = script_.lines[i];
      if (!applies(line)) continue;
      step(line);
      if (!problem_.empty()) problem_ = fmt::format("line {}: {}\n  {}", i + 1, problem_, script_.lines[i]);
    }
    if (problem_.empty()) require_quiet();
    if (!problem_.empty() && problem_.find("line ") != 0) problem_ = "at the end: " + problem_;
    return problem_;
  }

 private:
  /// Strips "5:" or "3:"; false for another version's line, a comment, a header.
  bool applies(std::string& line) const {
    if (line.empty() || line.starts_with('#')) return false;
    const std::string word = first_word(line);
    if (word == "role" || word == "versions" || word == "config") return false;
    const bool only_5 = word == "5:", only_3 = word == "3:", only_31 = word == "31:",
               only_311 = word == "311:";
    if (!only_5 && !only_3 && !only_31 && !only_311) return true;
    line = after_first_word(line);
    if (only_31) return version_ == Version::v3_1;
    if (only_311) return version_ == Version::v3_1_1;
    return only_5 == (version_ == Version::v5);
  }

  void step(const std::string& line) {
    const std::string word = first_word(line), rest = after_first_word(line);
    if (word == "!") return expect_fault(rest);
    if (failed_) return void(problem_ = fmt::format("the call before was refused: {}", failed_->context));
    if (word == ">") return expect_packet(rest);
    if (word == "=") return expect_event(rest);
    if (word == "closing") return expect_closing(rest);
    if (word == "going")
      return void(problem_ = subject_->close_info() ? "it wants to close: " + closing() : "");
    if (word == "is") return expect_value(rest);
    if (word == "deadline") return expect_deadline(rest);
    require_quiet();
    if (!problem_.empty()) return;
    if (word == "<") return input(rest);
    if (word == "<hex") return input_hex(rest);
    if (word == "at") return at(rest);
    if (word == "close") return close();
    call(word, rest);
  }

  void call(const std::string& word, const std::string& rest) {
    Result<void> result;
    if (!subject_->command(word, rest, now_, result)) {
      problem_ = "unknown command";
    } else if (!result) {
      failed_ = result.error();
      if (failed_->domain != ErrorDomain::session) problem_ = failed_->context;
    }
    drain();
  }

  void close() {
    subject_->close(now_);
    drain();
  }

  void at(const std::string& rest) {
    const auto time = parse_duration(rest);
    if (!time) return void(problem_ = "not a time");
    now_ = TimePoint{*time};
    subject_->on_time(now_);
    drain();
  }

  void input(const std::string& line) {
    const auto packet = parse_packet(line, version_, problem_);
    if (!packet) return;
    ChunkPool pool;
    OutBuffer buffer{pool};
    if (!encode(buffer, packet->view, version_)) return void(problem_ = "cannot be encoded");
    feed(take_all(buffer));
  }

  void input_hex(const std::string& line) {
    std::string bytes;
    for (const auto& text : split(line, ' ')) {
      unsigned byte = 256;
      std::from_chars(text.data(), text.data() + text.size(), byte, 16);
      if (byte > 255) return void(problem_ = "not hexadecimal: " + text);
      bytes.push_back(static_cast<char>(byte));
    }
    feed(bytes);
  }

  void feed(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += input_part_) {
      // A copy of exactly this size: reading past it is seen by the address sanitizer.
      const std::vector<std::uint8_t> part(
          bytes.begin() + static_cast<std::ptrdiff_t>(at),
          bytes.begin() +
              static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + std::min(input_part_, bytes.size()))));
      subject_->receive(now_, part);
      drain();
    }
  }

  static std::string take_all(OutBuffer& buffer) {
    std::string all;
    while (!buffer.empty()) {
      iovec part{};
      (void)buffer.gather({&part, 1});
      all.append(static_cast<const char*>(part.iov_base), part.iov_len);
      buffer.consume(part.iov_len);
    }
    return all;
  }
  void drain() { pending_ += take_all(subject_->output()); }

  /// The next whole packet of what the session has sent, as bytes and as text.
  std::pair<std::string, std::string> next_packet() {
    Framer framer;
    Bytes rest = as_bytes(pending_);
    const auto frame = framer.next(rest);
    if (!frame || !*frame) return {"", "nothing"};
    const auto sender = script_.server ? Sender::server : Sender::client;
    auto packet = decode(**frame, {version_, sender});
    if (!packet) packet = decode(**frame, {Version::v5, sender});
    return {to_string((*frame)->bytes),
            packet ? describe(*packet) : fmt::format("a packet that is none: {}", packet.error().what)};
  }

  void expect_packet(const std::string& line) {
    const auto expected = parse_packet(line, version_, problem_);
    if (!expected) return;
    ChunkPool pool;
    OutBuffer buffer{pool};
    encode(buffer, expected->view, version_);
    const auto [bytes, text] = next_packet();
    if (bytes != take_all(buffer)) return void(problem_ = fmt::format("it sent {}", text));
    pending_.erase(0, bytes.size());
  }

  void expect_event(const std::string& line) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> packets{
        {{"connack", "CONNACK"},
         {"connect", "CONNECT"},
         {"message", "PUBLISH"},
         {"published", "PUBACK"},
         {"subscribed", "SUBACK"},
         {"unsubscribed", "UNSUBACK"},
         {"subscribe", "SUBSCRIBE"},
         {"unsubscribe", "UNSUBSCRIBE"},
         {"pong", "PINGRESP"},
         {"auth", "AUTH"},
         {"disconnect", "DISCONNECT"},
         {"", ""}}};
    const std::string word = first_word(line);
    const auto row = std::ranges::find(packets, word, [](const auto& r) { return r.first; });
    if (row == packets.end()) return void(problem_ = "unknown event");
    const auto packet =
        parse_packet(fmt::format("{} {}", row->second, after_first_word(line)), version_, problem_);
    if (!packet) return;
    const std::string text = describe(packet->view);
    const std::string expected = word + text.substr(std::min(text.size(), row->second.size()));
    const std::string seen = subject_->events.empty() ? "nothing" : subject_->events.front();
    if (seen != expected) return void(problem_ = fmt::format("it reported {}", seen));
    subject_->events.pop_front();
  }

  void expect_fault(const std::string& name) {
    const auto failed = std::exchange(failed_, std::nullopt);
    if (!failed) return void(problem_ = "the call was not refused");
    const auto seen = name_in(fault_names, session_fault(*failed));
    if (seen != name) problem_ = fmt::format("it was refused with {}: {}", seen, failed->context);
    if (failed->context.empty()) problem_ = "the refusal does not say why";
  }

  /// "protocol_error 0x82 MQTT-3.2.0-2 reason=words server=elsewhere": what is named must agree.
  void expect_closing(const std::string& line) {
    const auto& info = subject_->close_info();
    if (!info) return void(problem_ = "it does not want to close");
    const auto parts = split(line, ' ');
    bool agrees = name_in(close_names, info->reason) == parts[0];
    for (const auto& part : parts) {
      if (part.starts_with("0x"))
        agrees = agrees && part == fmt::format("0x{:02x}", static_cast<unsigned>(info->code));
      else if (part.starts_with("rc="))
        agrees = agrees && part == fmt::format("rc={}", static_cast<unsigned>(info->return_code));
      else if (part.starts_with("reason="))
        agrees = agrees && part.substr(7) == info->reason_string;
      else if (part.starts_with("server="))
        agrees = agrees && part.substr(7) == info->server_reference;
      else if (part != parts[0])
        agrees = agrees && info->error && part == info->error->clause;
    }
    if (!agrees) problem_ = "it closes with " + closing();
  }
  [[nodiscard]] std::string closing() const {
    const CloseInfo& info = *subject_->close_info();
    return fmt::format("{} 0x{:02x} rc={} {} ({}) reason={} server={}", name_in(close_names, info.reason),
                       static_cast<unsigned>(info.code), static_cast<unsigned>(info.return_code),
                       info.error ? info.error->clause : "-", info.error ? info.error->what : "-",
                       info.reason_string, info.server_reference);
  }

  void expect_value(const std::string& line) {
    const auto seen = subject_->look(first_word(line));
    if (!seen) return void(problem_ = "unknown value");
    if (*seen != after_first_word(line)) problem_ = fmt::format("it is {}", *seen);
  }

  void expect_deadline(const std::string& text) {
    const Deadline deadline = subject_->next_deadline();
    const std::string seen = deadline ? format_duration(deadline->time_since_epoch()) : "none";
    if (seen != text) problem_ = fmt::format("it is {}", seen);
  }

  /// Nothing that the script did not ask for.
  void require_quiet() {
    if (!pending_.empty())
      problem_ = fmt::format("before this, it also sent {}", next_packet().second);
    else if (!subject_->events.empty())
      problem_ = fmt::format("before this, it also reported {}", subject_->events.front());
    else if (failed_)
      problem_ = fmt::format("the call before was refused: {}", failed_->context);
  }

  const Script& script_;
  Version version_;
  std::size_t input_part_;
  TimePoint now_{};
  std::unique_ptr<Subject> subject_;
  std::string pending_;
  std::optional<Error> failed_;
  std::string problem_;
};

Version version_of(const std::string& text) {
  return text == "31" ? Version::v3_1 : text == "311" ? Version::v3_1_1 : Version::v5;
}

bool read_config(const std::string& word, SubjectConfig& config) {
  const std::string value = word.substr(word.find('=') + 1);
  const auto number = parse_number<std::uint16_t>(value);
  if (word == "ack=manual")
    config.ack_mode = AckMode::manual;
  else if (word == "alias=when_room")
    config.alias_policy = AliasPolicy::when_room;
  else if (word.starts_with("window=") && number)
    config.window = *number;
  else if (word.starts_with("first_id=") && number)
    config.first_packet_id = *number;
  else if (word.starts_with("held=") && number)
    config.held_input_max = *number;
  else if (word.starts_with("aliases=") && number)
    config.outgoing_aliases_max = *number;
  else if (word.starts_with("fixed=") || word.starts_with("scram="))
    config.mechanism = word;
  else if (word == "receive_maximum=tolerant")
    config.enforce_receive_maximum = false;
  else
    return false;
  return true;
}

bool read_header(const std::string& line, Script& script) {
  const std::string word = first_word(line);
  const auto words = split(after_first_word(line), ' ');
  if (word == "role") {
    script.server = words[0] == "server";
    return script.server || words[0] == "client";
  }
  if (word == "versions") {
    script.versions.clear();
    for (const auto& text : words) script.versions.push_back(version_of(text));
  }
  if (word == "config")
    return std::ranges::all_of(words, [&](const auto& w) { return read_config(w, script.config); });
  return true;
}

int play_file(const char* path) {
  std::ifstream file{path};
  Script script;
  for (std::string line; std::getline(file, line);) {
    line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
    if (!read_header(line, script)) {
      fmt::print(stderr, "{}:{}: cannot be read: {}\n", path, script.lines.size() + 1, line);
      return 1;
    }
    script.lines.push_back(line);
  }
  if (script.lines.size() < 3) {
    fmt::print(stderr, "{}: no transcript\n", path);
    return 1;
  }
  for (const Version version : script.versions)
    for (const std::size_t part : {std::string::npos, std::size_t{1}}) {
      const std::string problem = Play{script, version, part}.run();
      if (problem.empty()) continue;
      fmt::print(stderr, "{} (MQTT {}, input {}): {}\n", path, to_string(version),
                 part == 1 ? "byte by byte" : "whole", problem);
      return 1;
    }
  return 0;
}

}  // namespace
}  // namespace mqtt::test

int main(int argc, char** argv) {
  int failed = argc < 2 ? 1 : 0;
  for (int i = 1; i < argc; ++i) failed += mqtt::test::play_file(argv[i]);
  return failed == 0 ? 0 : 1;
}
