#include "mqbroker/passwd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include <mqtt/auth/password_file.hpp>
#include <mqtt/net/crypto.hpp>
#include <mqtt/session/saslprep.hpp>
#include <mqtt/util/text.hpp>

#include "common/diag.hpp"
#include "common/options.hpp"
#include "common/secret_options.hpp"
#include "common/spelling.hpp"
#include "common/stdio.hpp"
#include "mqbroker/listeners.hpp"

namespace mq {
namespace {

using mqtt::auth::PasswordFile;
using mqtt::auth::PasswordHash;

struct Change {
  std::string file;
  std::string user;
  bool removes = false;
  bool for_sha256 = false;
  std::uint32_t iterations = PasswordHash::iterations_default;
  SecretSource password;
};

Program passwd_program() {
  return {
      .name = "mqbroker passwd",
      .summary =
          "Writes the password of a user into a file for mqbroker --password-file, which asks for it on the "
          "terminal unless an option says where it is. Exit codes: 2 usage, 14 the file cannot be used.",
      .usage = "[OPTIONS] FILE USER"};
}

/// What mosquitto_passwd has, and is told here in another way.
void declare_theirs(Options& o) {
  constexpr std::pair<std::string_view, std::string_view> theirs[] = {
      {"-c", "a file that is not there is made without it"},
      {"-b",
       "a password in the command line can be seen: use --password-file, --password-env or --password-cmd"},
      {"-D", "a user is taken away by --delete"}};
  for (const auto& [name, instead] : theirs)
    o.parsed(name,
             [instead](std::string_view) -> ValueResult { return std::unexpected(std::string{instead}); })
        .metavar("FILE")
        .hidden()
        .text("not supported");
}

void declare(Options& o, Change& change) {
  o.text("FILE", change.file)
      .completes(Completion::file)
      .text("the password file; it is made if there is none");
  o.parsed("USER", [&change](std::string_view value) -> ValueResult {
     if (auto fault = mqtt::auth::find_user_fault(value)) return std::unexpected(std::move(*fault));
     change.user = value;
     return {};
   }).text("the user's name");
  o.flag("--delete", change.removes).text("take the user away");
  o.flag("--scram-sha-256", change.for_sha256)
      .text(
          "write what clients need who log in by SCRAM-SHA-256, too: another line, of which mosquitto makes "
          "nothing. SCRAM-SHA-512 does without")
      .excludes({"--delete"});
  o.number("--iterations", change.iterations, {.min = 1, .max = PasswordHash::iterations_max})
      .metavar("N")
      .text("how often the password is hashed; with fewer than 4096 clients refuse SCRAM");
  declare_secret_options(o, change.password, "--password", "the password", "", {"--delete"});
  declare_theirs(o);
  o.rule([&change]() -> std::optional<std::string> {
    if (change.file.empty() || change.user.empty()) return "it needs a FILE and a USER";
    return std::nullopt;
  });
}

/// What the file holds; nothing if there is none.
mqtt::Result<std::string> read_old(const std::string& path) {
  auto text = mq::read_file(path, password_file_max_bytes);
  if (!text && text.error().code == ENOENT) return std::string{};
  if (!text) return text;
  if (const auto valid = PasswordFile::parse(*text); !valid)
    return mqtt::fail(mqtt::ErrorDomain::system, EINVAL, fmt::format("{}:{}", path, valid.error()));
  return text;
}

bool write_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Beside the file and then in its place, so that a broker never reads half of it; with the owner and the
/// permissions that it had, or for its owner alone.
mqtt::Result<void> replace(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  const auto failed = [&](int fault) {
    ::unlink(beside.c_str());
    return std::unexpected(mqtt::system_error(fault, fmt::format("cannot write {}", in_quotes(path))));
  };
  constexpr mode_t owner_only = 0600;
  struct stat old{};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode))  // root could put a file in the place of a device
    return mqtt::fail(mqtt::ErrorDomain::system, EINVAL,
                      fmt::format("{} is no regular file", in_quotes(path)));
  const mode_t mode = exists ? old.st_mode & 0777 : owner_only;
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
  if (fd < 0)
    return std::unexpected(mqtt::system_error(errno, fmt::format("cannot write {}", in_quotes(beside))));
  // The broker that is to read it may not be who calls this, root perhaps.
  const bool owned = !exists || ::fchown(fd, old.st_uid, old.st_gid) == 0;
  const bool written = owned && write_text(fd, text) && ::fchmod(fd, mode) == 0 && ::fsync(fd) == 0;
  const int fault = errno;
  ::close(fd);
  if (!written) return failed(fault);
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed(errno);
  return {};
}

std::string make_salt() {
  std::array<std::uint8_t, PasswordHash::salt_size> salt{};
  mqtt::net::fill_random(salt);
  return mqtt::to_string(mqtt::Bytes{salt});
}

/// One for each line that the user is to have.
mqtt::Result<std::vector<std::string>> make_hashes(Change& change) {
  if (change.removes) return {};
  if (!change.password.given()) change.password.prompt = true;
  auto password = resolve_secret(change.password, "password");
  if (!password) return std::unexpected(std::move(password.error()));
  if (!*password || (*password)->empty())
    return mqtt::fail(mqtt::ErrorDomain::system, EINVAL, "the password is empty");
  if (change.for_sha256)
    if (const auto usable = mqtt::check_saslprep(**password, "the password"); !usable)
      return std::unexpected(usable.error());
  std::vector<std::string> hashes{PasswordHash::make(**password, make_salt(), change.iterations).to_text()};
  if (change.for_sha256)
    hashes.push_back(mqtt::auth::to_text(
        make_scram_verifier(mqtt::ScramHash::sha256, **password, make_salt(), change.iterations)));
  return hashes;
}

/// What a link leads to: the new file is to stand there, and not in the place of the link.
std::string behind_links(const std::string& path) {
  std::error_code fault;
  const std::filesystem::path target = std::filesystem::canonical(path, fault);
  return fault ? path : target.string();
}

mqtt::Result<void> carry_out(Change& change) {
  const auto old = read_old(change.file);
  if (!old) return std::unexpected(old.error());
  const auto hashes = make_hashes(change);
  if (!hashes) return std::unexpected(hashes.error());
  const bool known = ("\n" + *old).find(fmt::format("\n{}:", change.user)) != std::string::npos;
  if (change.removes && !known)
    return mqtt::fail(
        mqtt::ErrorDomain::system, ENOENT,
        fmt::format("there is no user {} in {}", in_quotes(change.user), in_quotes(change.file)));
  return replace(behind_links(change.file), mqtt::auth::with_user(*old, change.user, *hashes));
}

}  // namespace

ExitCode change_password(int argc, char** arguments) {
  Options options{passwd_program()};
  Change change;
  declare(options, change);
  if (const auto parsed = options.parse(argc, arguments); !parsed) return parsed.error();
  const auto done = carry_out(change);
  if (done) return ExitCode::ok;
  Diag{"mqbroker"}.error(local_io_failed(done.error()));
  return ExitCode::local_io;
}

}  // namespace mq
