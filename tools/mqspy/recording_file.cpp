#include "mqspy/recording_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/sentences.hpp"
#include "common/spelling.hpp"

namespace mq::spy {
namespace {

constexpr std::size_t read_bytes = 256 * 1024;
constexpr const char* not_ours = "this is neither a pcap nor a pcapng file, nor JSON lines of mqspy";

}  // namespace

mqtt::Result<InputFile> InputFile::open(const std::string& path) {
  if (path == "-") return InputFile{STDIN_FILENO, "standard input"};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return std::unexpected(mqtt::system_error(errno, fmt::format("cannot read {}", in_quotes(path))));
  return InputFile{fd, in_quotes(path)};
}

InputFile::~InputFile() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, name_{std::move(other.name_)} {}

mqtt::Result<std::size_t> InputFile::read(mqtt::MutableBytes into) {
  for (;;) {
    const ssize_t size = ::read(fd_, into.data(), into.size());
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EINTR)
      return std::unexpected(mqtt::system_error(errno, fmt::format("cannot read {}", name_)));
  }
}

std::expected<std::size_t, std::string> Intake::take(mqtt::Bytes data, bool last) {
  if (kind_ == Kind::unknown && !choose(data, last)) {
    if (last && !data.empty()) return std::unexpected(not_ours);
    return 0;
  }
  if (kind_ == Kind::recording) return recording_.take(mqtt::as_text(data), last);
  if (kind_ == Kind::capture) return reader_.take(data, connections_);
  return std::unexpected(not_ours);
}

bool Intake::choose(mqtt::Bytes data, bool last) {
  if (data.size() < 4 && !last) return false;
  kind_ = is_capture(data) ? Kind::capture : !data.empty() && data[0] == '{' ? Kind::recording : Kind::other;
  return !data.empty();
}

std::expected<std::size_t, Sentence> read_recording(InputFile& file, Intake& intake,
                                                    const std::function<bool()>& go_on) {
  std::vector<std::uint8_t> buffer(read_bytes);
  std::size_t held = 0;
  for (bool end = false; !end;) {
    if (held == buffer.size()) buffer.resize(buffer.size() * 2);  // bounded by the longest record
    const auto size = file.read(mqtt::MutableBytes{buffer}.subspan(held));
    if (!size) return std::unexpected(local_io_failed(size.error()));
    end = *size == 0;
    held += *size;
    const auto taken = intake.take(mqtt::Bytes{buffer}.first(held), end);
    if (!taken) return std::unexpected(Sentence{taken.error()});
    std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(*taken),
              buffer.begin() + static_cast<std::ptrdiff_t>(held), buffer.begin());
    held -= *taken;
    if (!go_on()) return 0;
  }
  return held;
}

}  // namespace mq::spy
