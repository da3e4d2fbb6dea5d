#include "mqspy/json_recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include <mqtt/util/base64.hpp>

namespace mq::spy {
namespace {

using nlohmann::json;

/// Years of microseconds that fit nanoseconds.
constexpr std::int64_t micros_max = 9'000'000'000'000'000;

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::int64_t number_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// The bytes of {"enc":"b64","data":"..."}.
std::optional<std::string> bytes_at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_object()) return std::nullopt;
  return mqtt::from_base64(text_at(*found, "data"));
}

mqtt::Sender sender_of(const json& object) {
  return text_at(object, "dir") == "s2c" ? mqtt::Sender::server : mqtt::Sender::client;
}

}  // namespace

struct JsonRecording::Record {
  json object;
  mqtt::TimePoint time;
};

std::expected<std::size_t, std::string> JsonRecording::take(std::string_view text, bool last) {
  std::size_t taken = 0;
  while (taken < text.size()) {
    const std::size_t end = text.find('\n', taken);
    if (end == std::string_view::npos && !last) break;
    const std::string_view one = text.substr(taken, end - taken);
    ++lines_;
    if (auto read = line(one); !read)
      return std::unexpected(fmt::format("line {}: {}", lines_, read.error()));
    taken = std::min(text.size(), taken + one.size() + 1);
  }
  return taken;
}

std::expected<void, std::string> JsonRecording::line(std::string_view text) {
  if (text.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  Record record{json::parse(text, nullptr, false), {}};
  const json& object = record.object;
  if (!object.is_object()) return std::unexpected("this is no JSON object");
  const std::int64_t micros = std::clamp(number_at(object, "ts_us"), -micros_max, micros_max);
  record.time = mqtt::TimePoint{std::chrono::microseconds{micros}};
  last_time_ = std::max(last_time_, record.time);
  const std::string kind = text_at(object, "k"), name = text_at(object, "conn");
  if (kind.empty()) return std::unexpected("this is no record of mqspy: it has no \"k\"");
  if (kind == "pkt") return packet(record);
  const bool partial = object.find("partial") != object.end();
  if (kind == "open")
    open(record, name, partial ? mqtt::Flow::Start::excerpt : mqtt::Flow::Start::connection);
  if (kind == "close") close(record, name);
  if (const auto found = ids_.find(name); found != ids_.end() && kind == "gap")
    recorder_.gap(found->second, sender_of(object), record.time,
                  static_cast<std::uint64_t>(number_at(object, "nbytes")));
  return {};
}

void JsonRecording::open(const Record& record, const std::string& name, mqtt::Flow::Start start) {
  ids_[name] = recorder_.open({.client = text_at(record.object, "client"),
                               .server = text_at(record.object, "server"),
                               .transport = text_at(record.object, "transport"),
                               .start = start},
                              record.time);
}

std::expected<void, std::string> JsonRecording::packet(const Record& record) {
  const auto bytes = bytes_at(record.object, "raw");
  if (!bytes) return std::unexpected("the packet is without its bytes: record with --json --raw");
  const std::string name = text_at(record.object, "conn");
  if (!ids_.contains(name)) open(record, name, mqtt::Flow::Start::excerpt);
  const Recorder::Id id = ids_[name];
  const mqtt::Sender sender = sender_of(record.object);
  recorder_.receive(id, sender, record.time, mqtt::as_bytes(*bytes));
  if (const std::int64_t left_out = number_at(record.object, "left_out"); left_out > 0)
    recorder_.leave_out(id, sender, record.time, static_cast<std::uint64_t>(left_out));
  // One that was cut there is cut here: what follows begins a packet.
  recorder_.give_up_rest(id, sender, record.time);
  return {};
}

void JsonRecording::close(const Record& record, const std::string& name) {
  const auto found = ids_.find(name);
  if (found == ids_.end()) return;
  using How = mqtt::FlowClose::How;
  const std::string by = text_at(record.object, "by"), how = text_at(record.object, "how");
  mqtt::FlowClose close{.by = {}, .how = How::unknown, .time = record.time};
  if (!by.empty()) close.by = by == "client" ? mqtt::Sender::client : mqtt::Sender::server;
  if (how != "unknown") close.how = how == "fin" ? How::fin : How::reset;
  recorder_.close(found->second, close);
  ids_.erase(found);
}

}  // namespace mq::spy
