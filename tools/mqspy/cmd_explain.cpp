#include "mqspy/cmd_explain.hpp"

#include <fmt/format.h>

#include "common/diag.hpp"
#include "common/sentences.hpp"
#include "common/spelling.hpp"
#include "mqspy/explain.hpp"
#include "mqspy/file_output.hpp"

namespace mq::spy {

ExitCode explain_command(const SpyConfig& config) {
  Diag diag{"mqspy", config.log};
  std::string name;
  for (const std::string& word : config.arguments) (name += name.empty() ? "" : " ") += word;
  const auto text = config.coverage ? coverage_table() : explain(name);
  if (!text) {
    const std::string nearest = nearest_name(name);
    diag.error(fmt::format("{} is no clause, reason code, property or packet type{}", in_quotes(name),
                           nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
    return ExitCode::usage;
  }
  FileOutput out{1, "standard output"};
  out.buffer() = *text;
  if (const auto written = out.flush(); !written && !is_closed_pipe(written.error())) {
    diag.error(local_io_failed(written.error()));
    return ExitCode::local_io;
  }
  return ExitCode::ok;
}

}  // namespace mq::spy
