#pragma once
#include <string_view>

#include <mqtt/codec/types.hpp>

namespace mqtt {

/// A normative statement. The same number often means different rules in 3.1.1 and 5.0, so a rule
/// that stands in both is named once for each; a section ("MQTT 2.1.2") names a rule without number.
/// MQTT 3.1 has no numbered statements and goes by those of 3.1.1.
struct Clause {
  std::string_view v5;
  std::string_view v3_1_1 = v5;

  [[nodiscard]] constexpr std::string_view id(Version version) const {
    return version == Version::v5 ? v5 : v3_1_1;
  }
};

}  // namespace mqtt
