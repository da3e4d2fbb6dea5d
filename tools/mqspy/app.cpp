#include "mqspy/app.hpp"

#include "mqspy/cmd_capture.hpp"
#include "mqspy/cmd_decode.hpp"
#include "mqspy/cmd_explain.hpp"
#include "mqspy/cmd_proxy.hpp"
#include "mqspy/cmd_read.hpp"
#include "mqspy/cmd_replay.hpp"

namespace mq::spy {

ExitCode spy(const SpyConfig& config) {
  switch (config.command) {
    case Command::decode: return decode_command(config);
    case Command::capture: return capture_command(config);
    case Command::proxy: return proxy_command(config);
    case Command::replay: return replay_command(config);
    case Command::explain: return explain_command(config);
    case Command::read:
    case Command::lint: return read_command(config);
  }
  return ExitCode::internal;
}

}  // namespace mq::spy
