#pragma once
#include <mqtt/codec/clause.hpp>

// The rules that decoding holds packets to, each named once. Rules without a number are cited as
// VERSION#SECTION/WORD.

namespace mqtt::clauses {

// Encoding and fixed header
inline constexpr Clause string_well_formed{"MQTT-1.5.4-1", "MQTT-1.5.3-1"};
inline constexpr Clause string_without_nul{"MQTT-1.5.4-2", "MQTT-1.5.3-2"};
inline constexpr Clause varint_minimal{"MQTT-1.5.5-1", "v311#2.2.3/rl-minimal"};
inline constexpr Clause varint_four_bytes{"v5#1.5.5/rl-4-bytes", "v311#2.2.3/rl-4-bytes"};
inline constexpr Clause type_reserved{"v5#2.1.2/type-0", "v311#2.2.1/type-0"};
inline constexpr Clause type_direction{"v5#2.1.2/direction", "v311#2.2.1/direction"};
inline constexpr Clause flags_reserved{"MQTT-2.1.3-1", "MQTT-2.2.2-1"};
inline constexpr Clause length_fits{"v5#2.1.4/rl-fit", "v311#2.2.3/rl-fit"};
inline constexpr Clause request_packet_id{"MQTT-2.2.1-3", "MQTT-2.3.1-1"};
inline constexpr Clause server_packet_id{"MQTT-2.2.1-4", "MQTT-2.3.1-1"};
inline constexpr Clause answer_packet_id{"MQTT-2.2.1-5", "MQTT-2.3.1-6"};
inline constexpr Clause packet_size{"MQTT-3.2.2-15", "v311#2.2.3/size"};

// Properties
inline constexpr Clause property_unknown{"v5#2.2.2.2/prop-unknown"};
inline constexpr Clause property_place{"v5#2.2.2.2/prop-packet"};
inline constexpr Clause property_length{"v5#2.2.2.2/prop-length"};
inline constexpr Clause subscription_id_from_client{"MQTT-3.3.4-6"};

// CONNECT
inline constexpr Clause protocol_name{"MQTT-3.1.2-1"};
inline constexpr Clause protocol_level{"MQTT-3.1.2-2"};
inline constexpr Clause connect_reserved_flag{"MQTT-3.1.2-3"};
inline constexpr Clause will_qos_without_will{"MQTT-3.1.2-11", "MQTT-3.1.2-13"};
inline constexpr Clause will_qos_3{"MQTT-3.1.2-12", "MQTT-3.1.2-14"};
inline constexpr Clause will_retain_without_will{"MQTT-3.1.2-13", "MQTT-3.1.2-15"};
inline constexpr Clause password_without_user{"MQTT-3.1.2-22"};
inline constexpr Clause auth_data_without_method{"v5#3.1.2.11.10/auth-data"};

// CONNACK
inline constexpr Clause connack_flags{"MQTT-3.2.2-1", "v311#3.2.2.1/ack-flags"};
inline constexpr Clause session_present_on_refusal{"MQTT-3.2.2-6", "MQTT-3.2.2-4"};
inline constexpr Clause connack_reason{"MQTT-3.2.2-8", "MQTT-3.2.2-6"};

// PUBLISH and its answers
inline constexpr Clause dup_on_qos_0{"MQTT-3.3.1-2"};
inline constexpr Clause publish_qos_3{"MQTT-3.3.1-4"};
inline constexpr Clause publish_topic_wildcard{"MQTT-3.3.2-2"};
inline constexpr Clause publish_topic_empty{"v5#3.3.2.1/empty-topic", "MQTT-4.7.3-1"};
inline constexpr Clause response_topic_wildcard{"MQTT-3.3.2-14"};
inline constexpr Clause puback_reason{"MQTT-3.4.2-1"};
inline constexpr Clause pubrec_reason{"MQTT-3.5.2-1"};
inline constexpr Clause pubrel_reason{"MQTT-3.6.2-1"};
inline constexpr Clause pubcomp_reason{"MQTT-3.7.2-1"};

// SUBSCRIBE, UNSUBSCRIBE and their answers
inline constexpr Clause subscribe_empty{"MQTT-3.8.3-2", "MQTT-3.8.3-3"};
inline constexpr Clause subscribe_reserved_bits{"MQTT-3.8.3-5", "MQTT-3.8.3-4"};
inline constexpr Clause subscribe_qos_3{"v5#3.8.3.1/qos-3", "MQTT-3.8.3-4"};
inline constexpr Clause retain_handling_3{"v5#3.8.3.1/rh-3"};
inline constexpr Clause no_local_shared{"MQTT-3.8.3-4"};
inline constexpr Clause suback_reason{"MQTT-3.9.3-2", "MQTT-3.9.3-2"};
inline constexpr Clause suback_empty{"MQTT-3.8.4-6", "MQTT-3.8.4-5"};
inline constexpr Clause unsubscribe_empty{"MQTT-3.10.3-2"};
inline constexpr Clause unsuback_reason{"MQTT-3.11.3-2"};

// DISCONNECT, AUTH
inline constexpr Clause disconnect_reason{"MQTT-3.14.2-1"};
inline constexpr Clause server_disconnect_expiry{"MQTT-3.14.2-2"};
inline constexpr Clause server_disconnect_before_5{"v5#3.14/server-disconnect",
                                                   "v311#3.14/server-disconnect"};
inline constexpr Clause auth_reason{"MQTT-3.15.2-1"};
inline constexpr Clause auth_method{"v5#3.15.2.2.2/method"};

// Topics
inline constexpr Clause topic_wildcard{"MQTT-4.7.0-1", "MQTT-4.7.1-1"};
inline constexpr Clause hash_last{"MQTT-4.7.1-1", "MQTT-4.7.1-2"};
inline constexpr Clause plus_alone{"MQTT-4.7.1-2", "MQTT-4.7.1-3"};
inline constexpr Clause topic_empty{"MQTT-4.7.3-1"};
inline constexpr Clause topic_nul{"MQTT-4.7.3-2"};
inline constexpr Clause topic_too_long{"MQTT-4.7.3-3"};
inline constexpr Clause share_name_empty{"MQTT-4.8.2-1"};
inline constexpr Clause share_name_chars{"MQTT-4.8.2-2"};

}  // namespace mqtt::clauses
