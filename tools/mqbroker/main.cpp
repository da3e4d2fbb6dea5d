#include "common/stdio.hpp"
#include "mqbroker/app.hpp"
#include "mqbroker/options.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  mq::Options options{mq::mqbroker_program()};
  mq::BrokerSettings settings;
  mq::declare_broker_options(options, settings);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::serve(settings));
}
