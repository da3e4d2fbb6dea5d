#include "common/stdio.hpp"
#include "mqspy/app.hpp"
#include "mqspy/options.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  mq::Options options{mq::spy::mqspy_program()};
  mq::spy::SpyConfig config;
  mq::spy::declare_spy_options(options, config);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::spy::spy(config));
}
