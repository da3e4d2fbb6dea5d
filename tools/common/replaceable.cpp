#include "common/replaceable.hpp"

#include <sys/stat.h>

namespace mq {

bool is_replaceable(const std::string& path) {
  struct stat there{};
  return ::lstat(path.c_str(), &there) != 0 || S_ISREG(there.st_mode);
}

}  // namespace mq
