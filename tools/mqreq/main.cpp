#include "common/stdio.hpp"
#include "mqreq/app.hpp"
#include "mqreq/options.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  mq::Options options{mq::mqreq_program()};
  mq::ReqConfig config;
  mq::declare_req_options(options, config);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::request(config));
}
