#include "mqbench/scenario_json.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <concepts>
#include <optional>
#include <vector>

#include <mqtt/util/siphash.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_scanner.hpp"
#include "common/spelling.hpp"
#include "common/stdio.hpp"
#include "mqbench/scenario_lists.hpp"

namespace mq::bench {
namespace {

using mqtt::Duration;
using Fault = ScenarioFault;

/// Nobody writes more by hand.
constexpr std::size_t file_max_bytes = 1024 * 1024;
constexpr double rate_max = 1e8;
constexpr double year_s = 365.0 * 24 * 3600;

struct Key {
  std::string_view name;
  void (*write)(JsonWriter& json, const Scenario& s);  ///< the key and its value, or nothing
  Fault (*keep)(Scenario& s, std::string_view json);   ///< `json` is one well-formed value
};

struct Member {
  const Key* key;
  std::string_view json;
  std::size_t offset;
};

double seconds_of(Duration time) { return std::chrono::duration<double>{time}.count(); }

template <std::integral T>
Fault keep_whole(T& target, std::string_view json, std::uint64_t min, std::uint64_t max) {
  const auto number = mqtt::parse_number<std::uint64_t>(json);
  if (!number || *number < min || *number > max)
    return fmt::format("{} is not a number from {} to {}", in_quotes(json), min, max);
  target = static_cast<T>(*number);
  return std::nullopt;
}

Fault keep_decimal(double& target, std::string_view json, double min, double max) {
  double number = 0;
  const auto [end, fault] = std::from_chars(json.data(), json.data() + json.size(), number);
  if (fault != std::errc{} || end != json.data() + json.size() || !(number >= min && number <= max))
    return fmt::format("{} is not a number from {:g} to {:g}", in_quotes(json), min, max);
  target = number;
  return std::nullopt;
}

Fault keep_seconds(Duration& target, std::string_view json, double min) {
  double number = 0;
  if (auto fault = keep_decimal(number, json, min, year_s)) return fault;
  target = Duration{static_cast<Duration::rep>(std::llround(number * 1e9))};
  return std::nullopt;
}

Fault keep_qos(mqtt::QoS& target, std::string_view json) {
  std::uint8_t number = 0;
  if (auto fault = keep_whole(number, json, 0, 2)) return fault;
  target = static_cast<mqtt::QoS>(number);
  return std::nullopt;
}

template <class T>
using Words = std::span<const std::pair<std::string_view, T>>;

template <class T>
std::string_view word_of(T value, Words<std::type_identity_t<T>> words) {
  return std::ranges::find(words, value, &std::pair<std::string_view, T>::second)->first;
}

template <class T>
Fault keep_word(T& target, std::string_view json, Words<std::type_identity_t<T>> words) {
  const auto text = string_in(json);
  std::string all;
  for (const auto& [word, value] : words) {
    if (text == word) return target = value, std::nullopt;
    all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", word);
  }
  return fmt::format("{} is none of {}", in_quotes(json), all);
}

constexpr std::array<std::pair<std::string_view, Wiring>, 3> wirings{
    {{"pairs", Wiring::pairs}, {"all", Wiring::all}, {"shared", Wiring::shared}}};
constexpr std::array<std::pair<std::string_view, Operation>, 6> operations{
    {{"publish", Operation::publish},
     {"request", Operation::request},
     {"subscribe", Operation::subscribe},
     {"connect", Operation::connect},
     {"reconnect", Operation::reconnect},
     {"will", Operation::will}}};
constexpr std::array<std::pair<std::string_view, Stored>, 3> stores{
    {{"none", Stored::none}, {"retained", Stored::retained}, {"queued", Stored::queued}}};
constexpr std::array<std::pair<std::string_view, Arrival>, 2> arrivals{
    {{"fixed", Arrival::fixed}, {"poisson", Arrival::poisson}}};
constexpr std::array<std::pair<std::string_view, bool>, 2> loops{{{"open", true}, {"closed", false}}};

Fault keep_loop(Scenario& s, std::string_view json) {
  bool open = true;
  if (auto fault = keep_word(open, json, loops)) return fault;
  if (!open) s.rate = 0, s.arrival = Arrival::fixed, s.burst = 1;
  return std::nullopt;
}

Fault keep_topics(Scenario& s, std::string_view json) {
  std::string text;
  if (auto fault = keep_text(text, json)) return fault;
  auto pattern = TopicPattern::parse(text);
  if (!pattern) return pattern.error();
  s.pattern = std::move(*pattern);
  return std::nullopt;
}

void write_size(JsonWriter& json, const Scenario& s) {
  if (!s.payload.text().empty()) return;
  if (s.size.is_one()) return json.field("size", s.size.max());
  json.field("size", s.size.text());
}

Fault keep_size(Scenario& s, std::string_view json) {
  auto size = SizePattern::parse(string_in(json).value_or(std::string{json}));
  if (!size) return size.error();
  s.size = std::move(*size);
  s.payload = {};
  return std::nullopt;
}

Fault keep_payload(Scenario& s, std::string_view json) {
  std::string text;
  if (auto fault = keep_text(text, json)) return fault;
  auto payload = PayloadPattern::parse(text);
  if (!payload) return payload.error();
  s.payload = std::move(*payload);
  return std::nullopt;
}

Fault keep_truth(bool& target, std::string_view json) {
  if (json != "true" && json != "false") return fmt::format("{} is neither true nor false", in_quotes(json));
  target = json == "true";
  return std::nullopt;
}

Fault keep_count(Scenario& s, std::string_view json) {
  std::uint64_t count = 0;
  if (auto fault = keep_whole(count, json, 1, std::numeric_limits<std::uint64_t>::max())) return fault;
  s.set_count(count);
  return std::nullopt;
}

using S = Scenario;
using J = JsonWriter;
using Json = std::string_view;

constexpr std::array keys{
    Key{"name", [](J& j, const S& s) { j.field("name", s.name); },
        [](S& s, Json v) { return keep_text(s.name, v); }},
    Key{"scale",
        [](J& j, const S& s) {
          if (s.scale != 1) j.field("scale", s.scale);
        },
        [](S& s, Json v) { return keep_decimal(s.scale, v, 1e-9, 1e9); }},
    Key{"publishers", [](J& j, const S& s) { j.field("publishers", s.publishers); },
        [](S& s, Json v) { return keep_whole(s.publishers, v, 1, clients_max); }},
    Key{"subscribers", [](J& j, const S& s) { j.field("subscribers", s.subscribers); },
        [](S& s, Json v) { return keep_whole(s.subscribers, v, 0, clients_max); }},
    Key{"wiring", [](J& j, const S& s) { j.field("wiring", word_of(s.wiring, wirings)); },
        [](S& s, Json v) { return keep_word(s.wiring, v, wirings); }},
    Key{"operation", [](J& j, const S& s) { j.field("operation", word_of(s.operation, operations)); },
        [](S& s, Json v) { return keep_word(s.operation, v, operations); }},
    Key{"stored",
        [](J& j, const S& s) {
          if (s.stored != Stored::none) j.field("stored", word_of(s.stored, stores));
        },
        [](S& s, Json v) { return keep_word(s.stored, v, stores); }},
    Key{"slow",
        [](J& j, const S& s) {
          if (s.slow > 0) j.field("slow", s.slow);
        },
        [](S& s, Json v) { return keep_whole(s.slow, v, 0, clients_max); }},
    Key{"topics", [](J& j, const S& s) { j.field("topics", s.pattern.text()); }, keep_topics},
    Key{"publish_qos", [](J& j, const S& s) { j.field("publish_qos", mqtt::to_number(s.publish_qos)); },
        [](S& s, Json v) { return keep_qos(s.publish_qos, v); }},
    Key{"subscribe_qos", [](J& j, const S& s) { j.field("subscribe_qos", mqtt::to_number(s.subscribe_qos)); },
        [](S& s, Json v) { return keep_qos(s.subscribe_qos, v); }},
    Key{"topic_alias",
        [](J& j, const S& s) {
          if (s.topic_alias) j.field("topic_alias", true);
        },
        [](S& s, Json v) { return keep_truth(s.topic_alias, v); }},
    Key{"spin",
        [](J& j, const S& s) {
          if (s.spin) j.field("spin", true);
        },
        [](S& s, Json v) { return keep_truth(s.spin, v); }},
    Key{"size", write_size, keep_size},
    Key{"payload",
        [](J& j, const S& s) {
          if (!s.payload.text().empty()) j.field("payload", s.payload.text());
        },
        keep_payload},
    Key{"loop", [](J& j, const S& s) { j.field("loop", word_of(s.open_loop(), loops)); }, keep_loop},
    Key{"rate",
        [](J& j, const S& s) {
          if (s.open_loop()) j.field("rate", s.rate);
        },
        [](S& s, Json v) { return keep_decimal(s.rate, v, 1e-9, rate_max); }},
    Key{"arrival",
        [](J& j, const S& s) {
          if (s.open_loop()) j.field("arrival", word_of(s.arrival, arrivals));
        },
        [](S& s, Json v) { return keep_word(s.arrival, v, arrivals); }},
    Key{"burst",
        [](J& j, const S& s) {
          if (s.open_loop()) j.field("burst", s.burst);
        },
        [](S& s, Json v) { return keep_whole(s.burst, v, 1, std::numeric_limits<std::uint32_t>::max()); }},
    Key{"window",
        [](J& j, const S& s) {
          if (s.window) j.field("window", *s.window);
        },
        [](S& s, Json v) { return keep_whole(s.window.emplace(), v, 1, 65'535); }},
    Key{"ramp", [](J& j, const S& s) { j.field("ramp", s.ramp); },
        [](S& s, Json v) { return keep_decimal(s.ramp, v, 1e-9, rate_max); }},
    Key{"count",
        [](J& j, const S& s) {
          if (s.count > 0) j.field("count", s.count);
        },
        keep_count},
    Key{"warmup_s",
        [](J& j, const S& s) {
          if (s.count == 0) j.field("warmup_s", seconds_of(s.warmup));
        },
        [](S& s, Json v) { return keep_seconds(s.warmup, v, 0); }},
    Key{"duration_s",
        [](J& j, const S& s) {
          if (s.count == 0) j.field("duration_s", seconds_of(s.duration));
        },
        [](S& s, Json v) { return s.count = 0, keep_seconds(s.duration, v, 1e-9); }},
    Key{"drain_s", [](J& j, const S& s) { j.field("drain_s", seconds_of(s.drain)); },
        [](S& s, Json v) { return keep_seconds(s.drain, v, 0); }},
    Key{"seed", [](J& j, const S& s) { j.field("seed", s.seed); },
        [](S& s, Json v) { return keep_whole(s.seed, v, 0, std::numeric_limits<std::uint64_t>::max()); }},
    Key{"sources", [](J& j, const S& s) { write_texts(j, "sources", s.sources); },
        [](S& s, Json v) { return keep_texts(s.sources, v); }},
    Key{"brokers", [](J& j, const S& s) { write_brokers(j, "brokers", s.brokers); },
        [](S& s, Json v) { return keep_brokers(s.brokers, v); }},
    Key{"publish_to", [](J& j, const S& s) { write_brokers(j, "publish_to", s.publish_to); },
        [](S& s, Json v) { return keep_brokers(s.publish_to, v); }},
    Key{"subscribe_from", [](J& j, const S& s) { write_brokers(j, "subscribe_from", s.subscribe_from); },
        [](S& s, Json v) { return keep_brokers(s.subscribe_from, v); }},
    Key{"properties", [](J& j, const S& s) { write_properties(j, s.properties); },
        [](S& s, Json v) { return keep_properties(s.properties, v); }},
};

/// Names the scenario that a file changes parts of.
constexpr std::string_view base_key = "preset";

/// Keys that contradict each other if both are there.
constexpr std::array<std::array<std::string_view, 2>, 3> rivals{
    {{"count", "duration_s"}, {"count", "warmup_s"}, {"size", "payload"}}};

std::string_view nearest_key(std::string_view name) {
  const auto distance = [name](const Key& key) { return edit_distance(name, key.name); };
  const auto nearest = std::ranges::min_element(keys, {}, distance);
  return distance(*nearest) <= name.size() / 3 ? nearest->name : std::string_view{};
}

/// One file on its way to a Scenario: the first fault ends it.
class Parser {
 public:
  Parser(std::string_view text, const std::string& path) : text_{text}, path_{path}, scanner_{text} {}

  std::expected<Scenario, std::string> parse() {
    if (!mqtt::is_mqtt_utf8(mqtt::as_bytes(text_))) return said(0, "it is not UTF-8");
    if (!take_members()) return said(scanner_.fault_offset(), scanner_.what());
    if (fault_) return std::unexpected(std::move(*fault_));
    for (const Member& member : members_)
      if (auto fault = member.key->keep(scenario_, member.json)) return said(member, *fault);
    for (const auto& [one, other] : rivals)
      if (find(one) && find(other)) return said(*find(other), fmt::format("it does not go with {}", one));
    if (const auto fault = loop_fault()) return said(*find("loop"), *fault);
    if (auto fault = find_fault(scenario_)) return said(0, *fault);
    return std::move(scenario_);
  }

 private:
  /// `loop` only says what `rate` says: it may not say something else.
  Fault loop_fault() const {
    const Member* const loop = find("loop");
    if (!loop) return std::nullopt;
    const bool open = string_in(loop->json) == "open";
    if (open && !scenario_.open_loop()) return "an open loop needs a rate";
    if (!open && find("rate")) return "a closed loop has no rate";
    return std::nullopt;
  }

  std::unexpected<std::string> said(std::size_t offset, std::string_view what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, offset), '\n');
    return std::unexpected(fmt::format("{}:{}: {}", mqtt::escape_for_terminal(path_), line, what));
  }
  std::unexpected<std::string> said(const Member& member, std::string_view what) const {
    return said(member.offset, fmt::format("{}: {}", member.key->name, what));
  }

  const Member* find(std::string_view name) const {
    const auto found = std::ranges::find(members_, name, [](const Member& each) { return each.key->name; });
    return found == members_.end() ? nullptr : &*found;
  }

  bool take_members() {
    if (!scanner_.take('{')) return false;
    if (!scanner_.take_if('}')) {
      do {
        if (!take_member()) return fault_.has_value();
      } while (scanner_.take_if(','));
      if (!scanner_.take('}')) return false;
    }
    return scanner_.at_end() || scanner_.fail("there is something behind the object", scanner_.offset());
  }

  bool take_member() {
    static_cast<void>(scanner_.peek());
    const std::size_t offset = scanner_.offset();
    std::string storage;
    const auto name = scanner_.string(storage);
    if (!name || !scanner_.take(':')) return false;
    const auto value = scanner_.value();
    if (!value) return false;
    if (*name == base_key) return take_base(offset, value->text);
    const auto key = std::ranges::find(keys, *name, &Key::name);
    if (key == keys.end()) return refuse_name(offset, *name);
    if (find(*name)) return refuse(offset, fmt::format("{}: it is there twice", *name));
    members_.push_back({&*key, value->text, offset});
    return true;
  }

  bool take_base(std::size_t offset, std::string_view json) {
    const auto name = string_in(json);
    const Preset* const preset = name ? find_preset(*name) : nullptr;
    if (!preset) return refuse(offset, fmt::format("{}: there is no preset {}", base_key, in_quotes(json)));
    scenario_ = preset->scenario;
    return true;
  }

  bool refuse_name(std::size_t offset, std::string_view name) {
    const std::string_view near = nearest_key(name);
    return refuse(offset, near.empty()
                              ? fmt::format("there is no key {}", in_quotes(name))
                              : fmt::format("there is no key {}; did you mean {}?", in_quotes(name), near));
  }

  /// Always false.
  bool refuse(std::size_t offset, std::string_view what) {
    fault_ = said(offset, what).error();
    return false;
  }

  std::string_view text_;
  const std::string& path_;
  JsonScanner scanner_;
  Scenario scenario_;
  std::vector<Member> members_;
  std::optional<std::string> fault_;  // of a member
};

}  // namespace

void write_scenario(JsonWriter& json, const Scenario& scenario) {
  json.begin_object();
  for (const Key& key : keys) key.write(json, scenario);
  json.end_object();
}

std::uint64_t hash_of(Scenario scenario) {
  scenario.sources.clear();
  scenario.brokers.clear();
  scenario.publish_to.clear();
  scenario.subscribe_from.clear();
  std::string text;
  JsonWriter json{text};
  write_scenario(json, scenario);
  return mqtt::siphash(mqtt::SipKey{0}, text);
}

std::string scenario_file(const Scenario& scenario) {
  std::string text;
  for (const Key& key : keys) {
    std::string object;
    JsonWriter json{object};
    json.begin_object();
    key.write(json, scenario);
    json.end_object();
    constexpr std::size_t braces = 2, quotes = 2;
    if (object.size() == braces) continue;
    const std::string_view member = std::string_view{object}.substr(1, object.size() - braces);
    const std::size_t value_at = key.name.size() + quotes + 1;
    text += fmt::format("{}  {} {}", text.empty() ? "{\n" : ",\n", member.substr(0, value_at),
                        member.substr(value_at));
  }
  return text + "\n}\n";
}

std::expected<Scenario, std::string> parse_scenario(std::string_view text, const std::string& path) {
  return Parser{text, path}.parse();
}

std::expected<Scenario, std::string> read_scenario(const std::string& path) {
  const auto text = read_file(path, file_max_bytes);
  if (!text) return std::unexpected(fmt::format("cannot read {}: {}", in_quotes(path), text.error().context));
  return parse_scenario(*text, path);
}

}  // namespace mq::bench
