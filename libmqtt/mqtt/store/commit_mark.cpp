#include <mqtt/store/commit_mark.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

namespace mqtt::store {
namespace {

constexpr std::string_view suffix = "-commits";
constexpr std::string_view any_start = "any";

/// Of this start of the system; empty if it does not say.
std::string start_of_system() {
  std::ifstream file{"/proc/sys/kernel/random/boot_id"};
  std::string id;
  std::getline(file, id);
  return id;
}

/// Always of the same length, so that it is overwritten in place.
std::string text_of(std::int64_t commits, std::string_view start) {
  return fmt::format("commits {:020} start {:<36}\n", commits, start);
}

struct Said {
  std::int64_t commits;
  std::string start;
};

std::optional<Said> parse(std::string_view text) {
  constexpr std::size_t digits_at = 8, digits = 20, start_at = digits_at + digits + 7, start_size = 36;
  Said said{};
  if (text.size() != start_at + start_size + 1) return std::nullopt;
  const char* const end = text.data() + digits_at + digits;
  const auto [stop, fault] = std::from_chars(text.data() + digits_at, end, said.commits);
  if (fault != std::errc{} || stop != end) return std::nullopt;
  said.start = text.substr(start_at, start_size);
  said.start.erase(said.start.find_last_not_of(' ') + 1);
  if (said.commits < 0 || text != text_of(said.commits, said.start)) return std::nullopt;
  return said;
}

}  // namespace

std::string companion(const std::string& database, std::string_view name_end) {
  std::error_code fault;
  const std::filesystem::path file = std::filesystem::canonical(database, fault);
  std::string path = fault ? database : file.string();
  return path.append(name_end);
}

Result<std::optional<std::int64_t>> CommitMark::read(const std::string& database) {
  const std::string path = companion(database, suffix);
  std::ifstream file{path, std::ios::binary};
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    return std::unexpected(system_error(errno, fmt::format("{} cannot be read", path)));
  }
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  // What a power failure leaves of a file that was being made.
  if (text.find_first_not_of('\0') == std::string::npos) return std::nullopt;
  const auto said = parse(text);
  if (!said)
    return fail(ErrorDomain::system, EBADMSG,
                fmt::format("{} does not say how many transactions there must be; without that file the "
                            "database is taken as it is",
                            path));
  if (said->start != any_start && said->start != start_of_system()) return std::nullopt;
  return said->commits;
}

void CommitMark::remove(const std::string& database) {
  std::error_code fault;
  std::filesystem::remove(companion(database, suffix), fault);
}

Result<CommitMark> CommitMark::make(const std::string& database, Durability durability,
                                    std::int64_t commits) {
  const std::string path = companion(database, suffix);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(system_error(errno, fmt::format("cannot write {}", path)));
  CommitMark mark{fd, durability == Durability::full ? std::string{any_start} : start_of_system()};
  mark.put(commits);
  return mark;
}

CommitMark::~CommitMark() {
  if (fd_ >= 0) ::close(fd_);
}

void CommitMark::put(std::int64_t commits) {
  const std::string text = text_of(commits, boot_);
  (void)!::pwrite(fd_, text.data(), text.size(), 0);
}

}  // namespace mqtt::store
