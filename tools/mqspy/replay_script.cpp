#include "mqspy/replay_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/codec/encode.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqspy/packet_input.hpp"
#include "mqspy/subject.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;

/// So many connections are named in a sentence.
constexpr std::size_t named_max = 8;

std::string name_of(const RecordedTalk& talk) {
  return fmt::format("c{} ({}, {} packets)", talk.link.number,
                     talk.client_id.empty() ? talk.link.client : mqtt::escape_for_terminal(talk.client_id),
                     talk.packets.size());
}

std::string names_of(const std::vector<const RecordedTalk*>& talks) {
  std::string names;
  for (std::size_t i = 0; i < std::min(named_max, talks.size()); ++i)
    (names += i == 0 ? "" : ", ") += name_of(*talks[i]);
  if (talks.size() > named_max) names += fmt::format(" and {} more", talks.size() - named_max);
  return names;
}

bool has_client_packets(const RecordedTalk& talk) {
  return std::ranges::find(talk.packets, Sender::client, &RecordedPacket::sender) != talk.packets.end();
}

/// As redaction writes it.
bool is_hidden(std::string_view secret) {
  return !secret.empty() && secret.find_first_not_of('*') == std::string_view::npos;
}

bool has_hidden_data(const mqtt::PropertiesView& list) {
  const auto data = list.text(mqtt::PropertyId::authentication_data);
  return data && is_hidden(*data);
}

std::expected<void, std::string> put_password(RecordedPacket& packet, mqtt::ConnectView connect,
                                              const std::string& password) {
  connect.password = mqtt::as_bytes(password);
  mqtt::ChunkPool pool;
  mqtt::OutBuffer out{pool};
  if (!mqtt::encode(out, connect, packet.version))
    return std::unexpected("the password is too long for CONNECT");
  iovec part{};
  std::string bytes;
  while (out.gather({&part, 1}) > 0) {
    bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
    out.consume(part.iov_len);
  }
  packet.bytes = std::move(bytes);
  return {};
}

}  // namespace

mqtt::PacketType type_of(const RecordedPacket& packet) {
  return static_cast<mqtt::PacketType>(static_cast<std::uint8_t>(packet.bytes[0]) >> 4);
}

std::optional<mqtt::PacketView> decode_recorded(const RecordedPacket& packet) {
  mqtt::Bytes bytes = mqtt::as_bytes(packet.bytes);
  mqtt::Framer framer;
  const auto frame = framer.next(bytes);
  if (!frame || !*frame) return std::nullopt;
  const auto view = mqtt::decode(**frame, {packet.version, packet.sender});
  return view ? std::optional{*view} : std::nullopt;
}

TalkCollector::Candidate* TalkCollector::find(const Link& link) {
  const auto found = candidates_.find(link.number);
  return found == candidates_.end() ? nullptr : &found->second;
}

void TalkCollector::on_open(const OpenRecord& record) {
  if (wanted_.connection && *wanted_.connection != fmt::format("c{}", record.link.number)) return;
  candidates_[record.link.number].talk.link = record.link;
}

void TalkCollector::on_packet(const PacketRecord& record) {
  Candidate* const candidate = find(record.link);
  if (!candidate || full_ || record.packet.bytes.empty()) return;
  const mqtt::FlowPacket& packet = record.packet;
  kept_ += packet.bytes.size() + sizeof(RecordedPacket);
  full_ = kept_ > kept_max_;
  if (full_) return candidates_.clear();
  if (wanted_.selector && wanted_.selector->matches(PacketSubject{record})) candidate->chosen = true;
  if (record.state.connect) candidate->talk.client_id = record.state.connect->client_id;
  if (packet.left_out > 0 && packet.sender == Sender::client && candidate->talk.shortened == 0)
    candidate->talk.shortened = packet.step.number;
  candidate->talk.packets.push_back({.time = packet.step.time,
                                     .sender = packet.sender,
                                     .version = packet.version,
                                     .bytes = mqtt::to_string(packet.bytes),
                                     .topic = std::string{packet.topic},
                                     .answers = packet.answers ? packet.answers->number : 0});
}

void TalkCollector::on_gap(const GapRecord& record) {
  if (Candidate* const candidate = find(record.link)) ++candidate->talk.gaps;
}

/// What the selector has not chosen by now it does not choose any more.
void TalkCollector::on_close(const CloseRecord& record) {
  Candidate* const candidate = find(record.link);
  if (!candidate) return;
  candidate->talk.close = record.close;
  if (!wanted_.selector || candidate->chosen) return;
  for (const RecordedPacket& packet : candidate->talk.packets)
    kept_ -= packet.bytes.size() + sizeof(RecordedPacket);
  candidate->talk.packets = {};
}

std::expected<RecordedTalk, std::string> TalkCollector::choose() && {
  if (full_)
    return std::unexpected(fmt::format("more than {} MiB of packets: choose one connection with --conn",
                                       kept_max_ / 1024 / 1024));
  std::vector<const RecordedTalk*> all, wanted;
  for (const auto& [number, candidate] : candidates_) {
    all.push_back(&candidate.talk);
    const bool chosen = !wanted_.selector || candidate.chosen;
    if (chosen && has_client_packets(candidate.talk)) wanted.push_back(&candidate.talk);
  }
  if (wanted.size() > 1)
    return std::unexpected(
        fmt::format("there are {} connections: choose one with --conn: {}", wanted.size(), names_of(wanted)));
  if (wanted.empty() && wanted_.selector && !all.empty())
    return std::unexpected(
        "--filter chooses no packet of a connection that the client has said something on");
  if (wanted.empty() && wanted_.connection)
    return std::unexpected(
        fmt::format("there is no connection {} with packets of a client", in_quotes(*wanted_.connection)));
  if (wanted.empty()) return std::unexpected("there is no connection with packets of a client");
  RecordedTalk talk = std::move(candidates_.at(wanted[0]->link.number).talk);
  const auto first = std::ranges::find(talk.packets, Sender::client, &RecordedPacket::sender);
  if (type_of(*first) != mqtt::PacketType::connect)
    return std::unexpected(
        fmt::format("c{} began before the recording: there is no CONNECT", talk.link.number));
  if (talk.shortened != 0)
    return std::unexpected(fmt::format("packet {} of c{} cannot be sent: the end of its payload was not kept",
                                       talk.shortened, talk.link.number));
  return talk;
}

std::expected<void, std::string> settle_secrets(RecordedTalk& talk,
                                                const std::optional<std::string>& password) {
  bool used = false;
  for (RecordedPacket& packet : talk.packets) {
    if (packet.sender != Sender::client) continue;
    const auto view = decode_recorded(packet);
    if (!view) continue;
    if (const auto* auth = std::get_if<mqtt::AuthView>(&*view); auth && has_hidden_data(auth->properties))
      return std::unexpected("the recording hides authentication data: make it with --show-secrets");
    const auto* connect = std::get_if<mqtt::ConnectView>(&*view);
    if (!connect) continue;
    if (has_hidden_data(connect->properties))
      return std::unexpected("the recording hides authentication data: make it with --show-secrets");
    if (!connect->password) continue;
    if (!password && is_hidden(mqtt::as_text(*connect->password)))
      return std::unexpected(
          "the recording hides the password: give it with --password-file, or record with --show-secrets");
    if (!password) continue;
    used = true;
    if (auto put = put_password(packet, *connect, *password); !put) return put;
  }
  if (password && !used)
    return std::unexpected("the client connects without a password: there is no place for one");
  return {};
}

}  // namespace mq::spy
