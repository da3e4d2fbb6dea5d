#include "mqspy/cmd_read.hpp"

#include <fmt/format.h>

#include <csignal>

#include "common/diag.hpp"
#include "common/sentences.hpp"
#include "mqspy/capture_account.hpp"
#include "mqspy/outputs.hpp"
#include "mqspy/recording_file.hpp"
#include "mqspy/selection.hpp"

namespace mq::spy {
namespace {

class Reading {
 public:
  Reading(const SpyConfig& config, Outputs& outputs, Diag& diag)
      : outputs_{outputs},
        diag_{diag},
        watch_{config.selection.wishes, std::nullopt, outputs.sink(), WatchSink::Afterwards::dropped},
        recorder_{watch_},
        intake_{recorder_},
        lint_{config.command == Command::lint} {}

  ExitCode run(InputFile& file) {
    ExitCode code = take_all(file);
    if (code != ExitCode::ok && closed_) return ExitCode::ok;
    intake_.finish();
    recorder_.finish(intake_.last_time());
    if (!watch_.over() && intake_.is_capture_file()) tell_account(diag_, intake_.account());
    if (const auto written = outputs_.flush(); !written) code = failed(written.error());
    if (closed_) return ExitCode::ok;
    return code == ExitCode::ok ? verdict() : code;
  }

 private:
  ExitCode take_all(InputFile& file) {
    ExitCode code = ExitCode::ok;
    const auto left = read_recording(file, intake_, [this, &code] {
      if (const auto written = outputs_.flush(); !written) code = failed(written.error());
      return code == ExitCode::ok && !watch_.over();
    });
    if (!left) {
      diag_.error(left.error());
      return ExitCode::local_io;
    }
    if (*left > 0)
      diag_.warning(fmt::format("the file ends in the middle of a record: {} bytes are left", *left));
    return code;
  }

  ExitCode verdict() {
    if (const Awaited* missing = watch_.missing()) {
      diag_.error(fmt::format("expected and not seen: {}", missing->text));
      return ExitCode::expectation;
    }
    return lint_ && watch_.errors() > 0 ? ExitCode::expectation : ExitCode::ok;
  }

  ExitCode failed(const mqtt::Error& error) {
    closed_ = is_closed_pipe(error);
    if (!closed_) diag_.error(local_io_failed(error));
    return ExitCode::local_io;
  }

  Outputs& outputs_;
  Diag& diag_;
  WatchSink watch_;
  Recorder recorder_;
  Intake intake_;
  bool lint_;
  bool closed_ = false;  // nobody reads what we write
};

}  // namespace

ExitCode read_command(const SpyConfig& config) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  Diag diag{"mqspy", config.log};
  const auto fail = [&diag](const mqtt::Error& error) {
    diag.error(local_io_failed(error));
    return ExitCode::local_io;
  };
  auto file = InputFile::open(config.arguments[0]);
  if (!file) return fail(file.error());
  auto outputs = Outputs::open(config);
  if (!outputs) return fail(outputs.error());
  return Reading{config, **outputs, diag}.run(*file);
}

}  // namespace mq::spy
