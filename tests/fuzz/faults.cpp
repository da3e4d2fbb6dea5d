// A rule, a line feed, and bytes of both directions: the rule is refused with a reason that has a place in
// it, or a line with it takes the bytes, and a rule that never fires changes none of them.
#include <cstdlib>

#include "mqspy/fault_line.hpp"

namespace {

struct Ignore final : mq::spy::FaultWatcher {
  void on_passing(mqtt::Sender, mqtt::Bytes) override {}
  void on_fired(const Fired&) override { ++fired; }
  void on_too_large(mqtt::Sender, std::size_t) override {}
  unsigned fired = 0;
};

std::string taken(mq::spy::FaultLine& line, mqtt::Sender sender) {
  const mqtt::Bytes out = line.output(sender);
  std::string text = mqtt::to_string(out);
  line.consume(sender, out.size());
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = mqtt::as_text({data, size});
  const std::size_t split = text.find('\n');
  // Back-references make POSIX regular expressions exponential: those are the user's own.
  if (split == text.npos || size > 2000 || text.substr(0, split).find('~') != text.npos) return 0;
  auto rule = mq::spy::FaultRule::parse(text.substr(0, split));
  if (!rule && (rule.error().what.empty() || rule.error().column > split + 1)) std::abort();
  if (!rule) return 0;
  std::vector<mq::spy::FaultRule> list;
  list.push_back(std::move(*rule));
  mq::spy::FaultRules rules{std::move(list), 1};
  const mq::spy::Link link;
  mq::spy::FaultLine line{rules, link};
  Ignore watcher;
  mqtt::TimePoint now{};
  const mqtt::Bytes bytes = mqtt::as_bytes(text.substr(split + 1));
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    line.receive(mqtt::Sender::client, now, bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at)),
                 watcher);
    out += taken(line, mqtt::Sender::client);
  }
  line.end(mqtt::Sender::client, now, watcher);
  for (int i = 0; i < 1000 && line.next_deadline(); ++i) {
    now = *line.next_deadline();
    line.on_time(now);
    out += taken(line, mqtt::Sender::client);
  }
  out += taken(line, mqtt::Sender::client);
  if (watcher.fired == 0 && out != mqtt::as_text(bytes)) std::abort();
  return 0;
}
