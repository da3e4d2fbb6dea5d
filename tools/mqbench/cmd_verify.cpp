#include "mqbench/cmd_verify.hpp"

#include <unistd.h>

#include <random>
#include <utility>

#include "mqbench/result_file.hpp"
#include "mqbench/stamp.hpp"
#include "mqbench/verifier.hpp"

namespace mq::bench {
namespace {

/// A broken connection is to come back soon, and a killed broker may take its time.
constexpr mqtt::ReconnectPolicy keep_trying{.enabled = true,
                                            .first_too = false,
                                            .retry_max = std::nullopt,
                                            .min = std::chrono::milliseconds{10},
                                            .max = std::chrono::milliseconds{250}};

mqtt::Result<void> write_verification(const std::string& json_file, const VerifyResult& result) {
  const bool json_instead = json_file == "-";
  const auto shown =
      write_all(STDOUT_FILENO, json_instead ? as_json(result) : as_text(result), "standard output");
  if (json_instead || json_file.empty()) return shown;
  if (auto written = write_file(json_file, as_json(result)); !written) return written;
  return shown;
}

}  // namespace

ExitCode verify(BenchConfig config, std::string command_line) {
  Diag diag{"mqbench", config.connection.log};
  const std::string& json_file = config.results.json_file;
  if (!json_file.empty() && json_file != "-")
    if (const auto writable = check_writable(json_file); !writable) {
      diag.error(local_io_failed(writable.error()));
      return ExitCode::local_io;
    }
  config.connection.reconnect = keep_trying;
  const auto setup = make_client_setup(config.connection, "mqbench");
  if (!setup) {
    diag.error(setup.error().sentence);
    return setup.error().code;
  }
  Verifier verifier{config.verification, config.connection, *setup, std::random_device{}() & Stamp::run_max,
                    diag};
  auto result = verifier.run();
  ExitCode code = result ? ExitCode::ok : result.error();
  if (result) {
    result->command_line = std::move(command_line);
    code = verifier.failure().value_or(result->broken().empty() ? ExitCode::ok : ExitCode::expectation);
    if (const auto written = write_verification(json_file, *result); !written) {
      diag.error(local_io_failed(written.error()));
      code = ExitCode::local_io;
    }
  }
  if (verifier.stop_signal() != 0) die_by(verifier.stop_signal());
  return code;
}

}  // namespace mq::bench
