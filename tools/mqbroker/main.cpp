#include <string_view>

#include "common/stdio.hpp"
#include "mqbroker/app.hpp"
#include "mqbroker/options.hpp"
#include "mqbroker/passwd.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  if (argc > 1 && std::string_view{argv[1]} == "passwd")
    return mq::to_int(mq::change_password(argc - 1, argv + 1));
  mq::Options options{mq::mqbroker_program()};
  mq::BrokerSettings settings;
  mq::declare_broker_options(options, settings);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::serve(settings));
}
