#include "mqpub/inputs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace mq {
namespace {

constexpr std::string_view standard_input = "-";

std::string name_of(const std::string& path) {
  return path == standard_input ? "standard input" : fmt::format("'{}'", path);
}

std::size_t regular_size(int fd) {
  struct stat status{};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  return regular ? static_cast<std::size_t>(status.st_size) : 0;
}

}  // namespace

mqtt::Result<std::vector<std::string>> list_directory(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code fault;
  std::vector<std::string> files;
  fs::directory_iterator entry{path, fault};
  for (; !fault && entry != fs::directory_iterator{}; entry.increment(fault))
    if (std::error_code unseen; entry->is_regular_file(unseen)) files.push_back(entry->path().string());
  if (fault)
    return std::unexpected(mqtt::system_error(fault.value(), "cannot read directory " + name_of(path)));
  std::ranges::sort(files);
  return files;
}

mqtt::Result<void> check_readable(const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (path != standard_input && ::access(path.c_str(), R_OK) != 0)
      return std::unexpected(mqtt::system_error(errno, "cannot open " + name_of(path)));
  return {};
}

Inputs::Inputs(mqtt::net::Loop& loop, std::vector<std::string> paths, std::uint64_t rounds,
               Callbacks callbacks)
    : loop_{loop},
      paths_{std::move(paths)},
      rounds_left_{rounds},
      endless_{rounds == 0},
      callbacks_{std::move(callbacks)},
      next_step_{loop, [this] { step(); }} {}

Inputs::~Inputs() { close(); }

void Inputs::pause() {
  paused_ = true;
  next_step_.cancel();
  if (input_) input_->pause();
}

void Inputs::resume() {
  if (!paused_ && input_ && !input_->paused()) return;
  paused_ = false;
  if (over_) return;
  if (input_ && !input_ended_) return input_->resume();
  next_step_.set(loop_.now());
}

/// Outside any callback of the present input: it may be given up here.
void Inputs::step() {
  if (paused_ || over_) return;
  if (input_ended_) {
    if (!callbacks_.on_input_end()) return pause();
    close();
  }
  open_next();
}

void Inputs::open_next() {
  // A round that brought nothing would be followed by as many more, without an end.
  const bool again = next_ == paths_.size() && (endless_ || --rounds_left_ > 0);
  if (again && std::exchange(saw_data_, false)) next_ = 0;
  if (next_ == paths_.size()) {
    over_ = true;
    return callbacks_.on_end();
  }
  const std::string& path = paths_[next_++];
  name_ = name_of(path);
  const bool own = path != standard_input;
  if (own) fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (own && fd_ < 0) return fail(mqtt::system_error(errno, "cannot open " + name_));
  const int fd = own ? fd_ : STDIN_FILENO;
  expected_bytes_ = regular_size(fd);
  input_ = std::make_unique<Stdin>(loop_,
                                   Stdin::Callbacks{.on_data =
                                                        [this](mqtt::Bytes data) {
                                                          saw_data_ = true;
                                                          return callbacks_.on_data(data);
                                                        },
                                                    .on_end =
                                                        [this] {
                                                          input_ended_ = true;
                                                          next_step_.set(loop_.now());
                                                        },
                                                    .on_error = [this](const mqtt::Error& e) { fail(e); }},
                                   fd, name_, own ? Reopen::never : Reopen::if_possible);
  input_->resume();
}

void Inputs::close() {
  input_.reset();
  input_ended_ = false;
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Inputs::fail(const mqtt::Error& error) {
  over_ = true;
  callbacks_.on_error(error);
}

}  // namespace mq
