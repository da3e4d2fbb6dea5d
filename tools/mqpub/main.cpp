#include <utility>

#include "common/stdio.hpp"
#include "mqpub/app.hpp"
#include "mqpub/options.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  mq::Options options{mq::mqpub_program()};
  mq::PubConfig config;
  mq::PubTyped typed;
  mq::declare_pub_options(options, config, typed);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::publish(std::move(config)));
}
