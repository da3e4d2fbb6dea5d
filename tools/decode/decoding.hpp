#pragma once
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/util/bytes.hpp>

namespace mq {

/// Appends what a payload means as one JSON value on one line. Else a sentence's end ("ends in the middle of
/// a value"); what was appended until then is of no use.
using Decoder = std::function<std::expected<void, std::string>(mqtt::Bytes payload, std::string& json)>;

/// Finds a decoder by its name:
///   json                          checked, and kept to the letter
///   cbor, msgpack, bson, ubjson   RFC 8949, the MessagePack, BSON and UBJSON specifications
///   sparkplug                     Sparkplug B payloads (Eclipse Sparkplug 3.0, chapter 6)
///   hex, base64                   a string
///   int8, uint8, int16be, uint16le, ... float64le: one number, or an array of them; IEEE 754, two's
///   complement
[[nodiscard]] std::optional<Decoder> find_decoder(std::string_view name);

/// The names, for help and completion.
[[nodiscard]] const std::vector<std::string>& decoder_names();

/// One payload as JSON.
struct Decoded {
  std::string_view name;             ///< of the decoder; lives as long as the Decoding
  std::string json;                  ///< empty if there is a fault
  std::optional<std::string> fault;  ///< the payload is not what the rule says
};

/// Rules "FILTER=DECODER" of --decode; the first whose filter matches decides.
class Decoding {
 public:
  /// Split at the last '=', since a topic may hold one. What is wrong is the end of a sentence.
  [[nodiscard]] std::expected<void, std::string> add(std::string_view rule);
  [[nodiscard]] bool empty() const { return rules_.empty(); }
  /// Nothing if no rule is for this topic.
  [[nodiscard]] std::optional<Decoded> decode(std::string_view topic, mqtt::Bytes payload) const;

 private:
  struct Rule {
    std::string filter;
    std::string name;
    Decoder decoder;
  };
  std::vector<Rule> rules_;
};

}  // namespace mq
