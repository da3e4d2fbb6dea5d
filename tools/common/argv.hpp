#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mq {

class Option;
enum class Source : std::uint8_t;  // option.hpp

/// Where a value stands in the arguments.
struct ArgumentPart {
  std::size_t argument = 0;
  std::size_t offset = 0;
};

/// An option as it was given.
struct Occurrence {
  Option* option = nullptr;
  std::string typed;  ///< "-t", "--topic", the variable's name, or the key in a configuration file
  Source source{};
  std::vector<std::string> values;
  std::vector<ArgumentPart> parts;  ///< of the values, on the command line
  std::string where;                ///< "FILE:LINE", in a configuration file
};

/// For messages: "option '-t'", "environment variable 'MQTT_URL'", "mq.toml:3: 'port'".
[[nodiscard]] std::string name_as_given(const Occurrence& occurrence);

/// Gives an occurrence its values from one text: the last is all that is left, those before it end at
/// spaces. A sentence if there are too few or too many.
[[nodiscard]] std::optional<std::string> take_values(
    Occurrence& occurrence, std::string_view text,
    const std::function<std::size_t(std::span<const std::string>)>& wanted);

/// What cutting needs to know of the declared options.
struct ArgumentRules {
  std::function<Option*(std::string_view)> lookup;  ///< by name; null if there is none
  std::function<std::size_t(const Option&, std::span<const std::string>)> wanted;
  std::vector<Option*> positionals;
  std::vector<std::string> names;  ///< to suggest from
};

struct CutArguments {
  std::vector<Occurrence> occurrences;  ///< up to the fault
  std::optional<std::string> fault;     ///< a sentence
};

/// Cuts arguments into options with their values as getopt_long does: "-t V", "-tV", "--topic V",
/// "--topic=V", clusters "-dr", "--" before positionals. What follows an option that takes a value is
/// its value, whatever it looks like.
[[nodiscard]] CutArguments cut_arguments(const std::vector<std::string>& arguments,
                                         const ArgumentRules& rules);

}  // namespace mq
