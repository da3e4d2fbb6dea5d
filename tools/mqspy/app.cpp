#include "mqspy/app.hpp"

#include "mqspy/cmd_decode.hpp"

namespace mq::spy {

ExitCode spy(const SpyConfig& config) {
  switch (config.command) {
    case Command::decode: return decode_command(config);
  }
  return ExitCode::internal;
}

}  // namespace mq::spy
