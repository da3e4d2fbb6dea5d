#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/options.hpp"
#include "common/secrets.hpp"

namespace mq {

/// A secret's options "--password-file", "-env", "-cmd" and "-prompt"; each excludes the others and
/// `also_excluded`.
void declare_secret_options(Options& options, SecretSource& secret, std::string_view stem,
                            std::string_view what, std::string_view group,
                            std::vector<std::string> also_excluded);

}  // namespace mq
