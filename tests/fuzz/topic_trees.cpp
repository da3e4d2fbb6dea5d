// Subscriptions, matches, retained messages and cursors on them in any order, against plain lists that
// compare each filter with each topic. The first byte chooses the tree; then each step is a byte that
// says what happens, and what it needs.
#include <cstdio>

#include "support/retained_exercise.hpp"
#include "support/subscription_exercise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  mqtt::fuzz::Input input{{data, size}};
  const bool retained = input.byte() & 1;
  const auto fault =
      retained ? mqtt::test::RetainedExercise{input}.run() : mqtt::test::SubscriptionExercise{input}.run();
  if (fault) std::fprintf(stderr, "the tree and the list disagree: %s\n", fault->c_str());
  mqtt::fuzz::require(!fault);
  return 0;
}
