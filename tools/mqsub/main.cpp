#include "common/stdio.hpp"
#include "mqsub/app.hpp"
#include "mqsub/options.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  mq::Options options{mq::mqsub_program()};
  mq::SubConfig config;
  mq::declare_sub_options(options, config);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::subscribe(config));
}
