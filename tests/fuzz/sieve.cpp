// What a client sends, cut anywhere, with bounds that change, through a Sieve and PacketEnds, next to a
// Framer that sees all of it at once. The first eight bytes say how it is cut and how much may be kept.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "fuzz/session_input.hpp"
#include "support/sieve_exercise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mqtt::test::SieveExercise;
  if (size < 8) return 0;
  const mqtt::Bytes says{data, 8}, stream{data + 8, size - 8};
  std::vector<SieveExercise::Cut> cuts;
  for (std::size_t at = 0, turn = 0; at < stream.size(); ++turn) {
    // Mostly a few bytes, and now and then many.
    const std::size_t step = says[turn % 8] < 0xF0 ? 1 + says[turn % 8] % 64 : 1000;
    cuts.push_back({step, says[(turn + 3) % 8] / 8u * (turn % 3)});
    at += step;
  }
  const auto check = [](const std::optional<std::string>& fault) {
    if (fault) std::fprintf(stderr, "%s\n", fault->c_str());
    mqtt::fuzz::require(!fault);
  };
  check(SieveExercise{stream}.run(cuts, 0));
  check(SieveExercise::find_ends(stream, cuts));
  // All that may be kept is: then cuts change nothing.
  for (SieveExercise::Cut& cut : cuts) cut.kept_max = size;
  SieveExercise exercise{stream};
  check(exercise.run(cuts, size));
  mqtt::fuzz::require(exercise.messages_found() == exercise.messages());
  return 0;
}
