#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/client/ending.hpp>
#include <mqtt/client/endpoint.hpp>
#include <mqtt/codec/decode_error.hpp>
#include <mqtt/codec/property.hpp>
#include <mqtt/codec/reason.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

namespace mq {

/// What a person is told: one line, and perhaps what to do about it. May hold a peer's words with any
/// characters: Diag escapes them.
struct Sentence {
  std::string text;
  std::string hint{};

  Sentence(std::string t, std::string h = {}) : text{std::move(t)}, hint{std::move(h)} {}  // NOLINT
  Sentence(std::string_view t) : text{t} {}                                                // NOLINT
  Sentence(const char* t) : text{t} {}                                                     // NOLINT
};

/// Whom we talk to, for sentences and the hints that need to know how.
struct Where {
  std::string name;  ///< "broker.lan:8883", "/run/mqtt.sock"
  mqtt::Transport transport = mqtt::Transport::tcp;
  std::uint16_t port = 0;  ///< 0 for a unix socket and with -S
  std::string client_id{};
  mqtt::Version version = mqtt::Version::v5;
  std::string auth_method{};  ///< Authentication Method; empty: none
  /// What the names of long options begin with where the usual ones mean something else: "--bridge-".
  std::string option_stem{};
};

/// Why a connection ended or never came to be; not for Kind::finished.
[[nodiscard]] Sentence describe(const mqtt::Ending& ending, const Where& where);

/// "... ; next attempt in 1.5s"
[[nodiscard]] Sentence describe_retry(const mqtt::Ending& ending, const Where& where, mqtt::Duration delay);

/// There is no new token for the one that ends.
[[nodiscard]] Sentence renewal_failed(const mqtt::Error& error, mqtt::Duration delay);

/// "malformed packet from the server: PUBLISH with both QoS bits set [MQTT-3.3.1-4] at byte 0"
[[nodiscard]] std::string describe(const mqtt::DecodeError& error);

/// `properties` may bring a reason string.
[[nodiscard]] Sentence subscription_refused(std::string_view filter, mqtt::ReasonCode code,
                                            mqtt::PropertiesView properties);
[[nodiscard]] Sentence publish_rejected(std::string_view topic, mqtt::ReasonCode code,
                                        mqtt::PropertiesView properties);
/// We ourselves refuse to send it: the session's Error.
[[nodiscard]] Sentence cannot_publish(std::string_view topic, const mqtt::Error& error);
[[nodiscard]] Sentence cannot_subscribe(std::string_view filter, const mqtt::Error& error);

/// "deadline of 5s reached: 2 of 10 messages received"; `progress` is the part after the colon.
[[nodiscard]] Sentence deadline_reached(mqtt::Duration deadline, std::string_view progress);

/// Reading or writing here: "cannot write to standard output: No space left on device".
[[nodiscard]] Sentence local_io_failed(const mqtt::Error& error);
/// At the end: the reader of standard output took nothing of this for all of output_grace.
[[nodiscard]] Sentence output_blocked(std::size_t bytes);

/// "Not authorized (0x87)"
[[nodiscard]] std::string name_and_code(mqtt::ReasonCode code, mqtt::PacketType type);

/// What a server that does not speak MQTT seems to be, by its first bytes.
enum class PeerKind : std::uint8_t { unknown, http, tls };
[[nodiscard]] PeerKind guess_peer(std::string_view first_bytes);

}  // namespace mq
