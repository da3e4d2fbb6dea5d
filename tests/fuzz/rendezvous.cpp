// What a shard of mqbench hears from others. First byte: bit 0 which shard of two it is; then lines: "R" its
// clients are ready, "S" its run is over, "F" it finishes, "T" time passes, "P" it reports, anything else is
// a message.
#include <cstdlib>
#include <string_view>

#include "mqbench/rendezvous.hpp"

using namespace mq::bench;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t streams = 5;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_message(std::string_view text) {
  const auto message = parse_rendezvous_message(text);
  if (!message) return;
  require(message->numbers.size() <= RendezvousMessage::numbers_max);
  require(parse_rendezvous_message(to_text(*message)) == message);
}

void act(Rendezvous& shard, mqtt::TimePoint& now, std::string_view line) {
  if (line == "R") return shard.ready(now);
  if (line == "S") return shard.settle(now, {1, 2, 3, 4, 5});
  if (line == "F") return shard.finish();
  if (line == "P") return shard.report(now, {1, 2, 3, true});
  if (line == "T") return shard.on_time(now += 300ms);
  check_message(line);
  shard.receive(now, line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Rendezvous shard{
      {.shard = {data[0] & 1U, 2}, .name = "n", .nonce = 10, .run = 7, .publishers = 3, .streams = streams}};
  mqtt::TimePoint now{1h};
  shard.open(now);
  std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    act(shard, now, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    for (const auto& letter : shard.take_output()) require(parse_rendezvous_message(letter.text).has_value());
    require(shard.counts().size() == streams && shard.clock().error >= 0ns && shard.worst_error() >= 0ns);
    require(!(shard.over() && shard.failure()));
    static_cast<void>(shard.total());
  }
  return 0;
}
