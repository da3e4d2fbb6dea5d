#include "mqspy/cmd_read.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "common/diag.hpp"
#include "common/sentences.hpp"
#include "common/spelling.hpp"
#include "mqspy/capture.hpp"
#include "mqspy/connections.hpp"
#include "mqspy/json_recording.hpp"
#include "mqspy/outputs.hpp"
#include "mqspy/selection.hpp"

namespace mq::spy {
namespace {

constexpr std::size_t read_bytes = 256 * 1024;

class InputFile {
 public:
  [[nodiscard]] static mqtt::Result<InputFile> open(const std::string& path) {
    if (path == "-") return InputFile{STDIN_FILENO, "standard input"};
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return std::unexpected(mqtt::system_error(errno, fmt::format("cannot read {}", in_quotes(path))));
    return InputFile{fd, in_quotes(path)};
  }
  ~InputFile() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  InputFile(InputFile&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, name_{std::move(other.name_)} {}
  InputFile& operator=(InputFile&&) = delete;

  /// Waits for some octets; none: the end.
  [[nodiscard]] mqtt::Result<std::size_t> read(mqtt::MutableBytes into) {
    for (;;) {
      const ssize_t size = ::read(fd_, into.data(), into.size());
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EINTR)
        return std::unexpected(mqtt::system_error(errno, fmt::format("cannot read {}", name_)));
    }
  }

 private:
  InputFile(int fd, std::string name) : fd_{fd}, name_{std::move(name)} {}

  int fd_;
  std::string name_;
};

/// Where octets of a file go once it is known what kind it is.
class Intake {
 public:
  using Taken = std::expected<std::size_t, std::string>;

  explicit Intake(Recorder& recorder) : connections_{recorder}, recording_{recorder} {}

  [[nodiscard]] Taken take(mqtt::Bytes data, bool last) {
    if (kind_ == Kind::unknown && !choose(data, last)) {
      if (last && !data.empty()) return std::unexpected(not_ours);
      return 0;
    }
    if (kind_ == Kind::recording) return recording_.take(mqtt::as_text(data), last);
    if (kind_ == Kind::capture) return reader_.take(data, connections_);
    return std::unexpected(not_ours);
  }

  void finish() { connections_.finish(); }
  [[nodiscard]] const CaptureAccount& account() const { return connections_.account(); }
  [[nodiscard]] mqtt::TimePoint last_time() const {
    return std::max(connections_.last_time(), recording_.last_time());
  }
  [[nodiscard]] bool is_capture_file() const { return kind_ == Kind::capture; }

 private:
  enum class Kind : std::uint8_t { unknown, capture, recording, other };
  static constexpr const char* not_ours = "this is neither a pcap nor a pcapng file, nor JSON lines of mqspy";

  bool choose(mqtt::Bytes data, bool last) {
    if (data.size() < 4 && !last) return false;
    kind_ = is_capture(data)                  ? Kind::capture
            : !data.empty() && data[0] == '{' ? Kind::recording
                                              : Kind::other;
    return !data.empty();
  }

  Kind kind_ = Kind::unknown;
  CaptureReader reader_;
  Connections connections_;
  JsonRecording recording_;
};

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
    if (!watch_.over()) tell_account();
    if (const auto written = outputs_.flush(); !written) code = failed(written.error());
    if (closed_) return ExitCode::ok;
    return code == ExitCode::ok ? verdict() : code;
  }

 private:
  ExitCode take_all(InputFile& file) {
    std::vector<std::uint8_t> buffer(read_bytes);
    std::size_t held = 0;
    for (bool end = false; !end;) {
      if (held == buffer.size()) buffer.resize(buffer.size() * 2);  // bounded by the longest record
      const auto size = file.read(mqtt::MutableBytes{buffer}.subspan(held));
      if (!size) return failed(size.error());
      end = *size == 0;
      held += *size;
      const auto taken = intake_.take(mqtt::Bytes{buffer}.first(held), end);
      if (!taken) return damaged(taken.error());
      std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(*taken),
                buffer.begin() + static_cast<std::ptrdiff_t>(held), buffer.begin());
      held -= *taken;
      if (const auto written = outputs_.flush(); !written) return failed(written.error());
      if (watch_.over()) return ExitCode::ok;
    }
    if (held > 0)
      diag_.warning(fmt::format("the file ends in the middle of a record: {} octets are left", held));
    return ExitCode::ok;
  }

  ExitCode verdict() {
    if (const Awaited* missing = watch_.missing()) {
      diag_.error(fmt::format("expected and not seen: {}", missing->text));
      return ExitCode::expectation;
    }
    return lint_ && watch_.errors() > 0 ? ExitCode::expectation : ExitCode::ok;
  }

  ExitCode damaged(const std::string& what) {
    diag_.error(what);
    return ExitCode::local_io;
  }

  ExitCode failed(const mqtt::Error& error) {
    closed_ = is_closed_pipe(error);
    if (!closed_) diag_.error(local_io_failed(error));
    return ExitCode::local_io;
  }

  void tell_account() {
    const CaptureAccount& a = intake_.account();
    if (a.fragments > 0)
      diag_.warning(fmt::format("{} fragments of IP packets are not put together: what they hold is missing",
                                a.fragments));
    if (a.unknown_link > 0)
      diag_.warning(fmt::format("{} packets have a link layer that is not known here", a.unknown_link));
    if (a.damaged > 0) diag_.warning(fmt::format("{} packets are shorter than their headers", a.damaged));
    if (a.given_up > 0)
      diag_.warning(fmt::format("{} connections were not followed to their end: there were too many at once",
                                a.given_up));
    if (intake_.is_capture_file() && a.mqtt_connections == 0)
      diag_.warning(
          fmt::format("no MQTT in {} packets of {} TCP connections{}", a.packets, a.connections,
                      a.tls_connections > 0 ? fmt::format(", of which {} are TLS", a.tls_connections) : ""));
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
