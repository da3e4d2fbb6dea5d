#include "mqspy/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include <mqtt/util/text.hpp>

namespace mq::spy {
namespace {

struct User {
  uid_t id = 0;
  gid_t group = 0;
};

std::optional<User> sudo_user() {
  const char* const user = std::getenv("SUDO_UID");
  const char* const group = std::getenv("SUDO_GID");
  if (!user || !group) return std::nullopt;
  const auto id = mqtt::parse_number<uid_t>(user);
  const auto group_id = mqtt::parse_number<gid_t>(group);
  if (!id || !group_id || *id == 0) return std::nullopt;
  return User{*id, *group_id};
}

/// Who owns nothing, by the system's own list, else by the number that Linux has for it.
User nobody() {
  const passwd* const entry = ::getpwnam("nobody");
  return entry ? User{entry->pw_uid, entry->pw_gid} : User{65'534, 65'534};
}

mqtt::Result<void> failed(const char* what) { return std::unexpected(mqtt::system_error(errno, what)); }

mqtt::Result<void> drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capset, &header, none) != 0) return failed("cannot give up capabilities");
  return {};
}

}  // namespace

bool is_root_by_sudo() { return ::geteuid() == 0 && sudo_user().has_value(); }

mqtt::Result<void> drop_privileges() {
  if (::geteuid() != 0) return drop_capabilities();
  const User user = sudo_user().value_or(nobody());
  if (::setgroups(0, nullptr) != 0 || ::setgid(user.group) != 0 || ::setuid(user.id) != 0)
    return failed("cannot give up root's privileges");
  if (::setuid(0) == 0) return mqtt::fail(mqtt::ErrorDomain::system, EPERM, "root's privileges came back");
  return {};
}

}  // namespace mq::spy
