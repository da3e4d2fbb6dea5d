#include "order_client.hpp"

#include <algorithm>
#include <cstdio>
#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/topic.hpp>
#include <support/packets.hpp>
#include <unit/server/server_test.hpp>
#include <utility>

#include <fmt/format.h>

namespace mqtt::server::test::order {
namespace {

std::string payload_of(std::size_t from, std::size_t topic, std::size_t number, QoS qos, std::size_t size) {
  std::string payload = fmt::format("{} {} {} {} {} ", from, topic, number, to_number(qos), size);
  payload.resize(std::max(size, payload.size()), static_cast<char>('a' + number % 26));
  return payload;
}

}  // namespace

void Common::fail(const std::string& what) {
  if (std::exchange(failed, true)) return;
  constexpr std::size_t told = 40;
  std::string text = what;
  for (std::size_t i = story.size() - std::min(story.size(), told); i < story.size(); ++i)
    text += "\n  " + story[i];
  ADD_FAILURE() << text;
}

// ---- What it says.

void Client::connect() {
  ConnectView view = connect_packet(id, kind.version);
  Properties properties;
  if (kind.packet_max > 0) properties.add(PropertyId::maximum_packet_size, kind.packet_max);
  if (kind.receive_maximum > 0) properties.add(PropertyId::receive_maximum, kind.receive_maximum);
  if (kind.alias_maximum > 0) properties.add(PropertyId::topic_alias_maximum, kind.alias_maximum);
  if (kind.version == Version::v5) view.properties = properties;
  std::string payload;
  if (kind.will) {
    payload = payload_of(number_, *kind.will, 0, QoS::at_least_once, 30);
    view.will = WillView{names.at(*kind.will), as_bytes(payload), QoS::at_least_once};
  }
  say(view);
}

void Client::say(const PacketView& packet, bool acknowledges) {
  watch_.on_sent(packet);
  const auto bytes = mqtt::test::encoded(packet, kind.version);
  (acknowledges && holds_acks_ ? acks_ : out_) += as_text(bytes);
}

void Client::ask(const PacketView& packet) {
  ++owed_;
  say(packet);
}

void Client::publish(std::size_t topic, QoS qos, bool retain, std::size_t size, bool exact) {
  const std::string payload = payload_of(number_, topic, sent_.at(topic).size() + 1, qos, size);
  PublishView view;
  view.qos = qos;
  view.retain = retain;
  view.topic = names.at(topic);
  view.payload = as_bytes(payload);
  Properties properties;
  if (kind.dresses && dice_.one_in(3)) properties.add_user_property("key", "value");
  if (kind.dresses && dice_.one_in(9)) properties.add(PropertyId::message_expiry_interval, 10'000);
  if (kind.aliases) {
    const auto alias = static_cast<std::uint32_t>(topic + 1);
    properties.add(PropertyId::topic_alias, alias);
    if (!sent_.at(topic).empty()) view.topic = {};
  }
  view.properties = properties;
  sent_.at(topic).push_back({qos, retain, payload.size(), false, exact});
  if (qos == QoS::at_most_once) return say(view);
  view.packet_id = ++packet_id_;
  ask(view);
}

void Client::subscribe(Filter filter) {
  const std::string text = (kind.shares ? "$share/group/" : "") + std::string{filter.text};
  SubscriptionList list;
  list.add(text, filter.options);
  Properties properties;
  if (filter.identifier != 0) properties.add(PropertyId::subscription_identifier, filter.identifier);
  held.push_back(filter);
  has_subscribed = true;
  busy_ = true;
  ask(SubscribeView{++packet_id_, properties, list.view()});
  // Its own messages are behind SUBSCRIBE on the same connection.
  for (std::size_t topic = 0; topic < names.size() && !kind.shares; ++topic)
    if (Track& own = tracks_.at(number_).at(topic);
        own.due == 0 && !filter.options.no_local && topic_matches(filter.text, names.at(topic)))
      own.due = sent_.at(topic).size() + 1;
}

void Client::unsubscribe(std::size_t index) {
  held.at(index).state = Filter::State::leaving;
  FilterList list;
  list.add(held[index].text);
  busy_ = true;
  ask(UnsubscribeView{++packet_id_, {}, list.view()});
}

/// In pieces that end anywhere.
void Client::flush(std::size_t limit) {
  while (!over_ && written_ < out_.size() && limit > 0) {
    const std::size_t piece = 1 + dice_.below(dice_.one_in(3) ? 40 : 200'000);
    const std::size_t size = std::min({out_.size() - written_, limit, piece});
    const auto taken = net::test::write_text(*stream_, std::string_view{out_}.substr(written_, size));
    if (!taken) return;  // on_end() or on_error() says why
    written_ += *taken;
    limit -= *taken;
    if (*taken < size) return;
  }
  if (over_ || written_ < out_.size()) return;
  out_.clear();
  written_ = 0;
  if (std::exchange(ends_output_, false)) stream_->shutdown();
}

void Client::pause() {
  if (!std::exchange(paused_, true)) stream_->pause_reading();
}

/// Reads and acknowledges again.
void Client::resume() {
  if (over_) return;
  if (std::exchange(paused_, false)) stream_->resume_reading();
  holds_acks_ = false;
  out_ += std::exchange(acks_, {});
  flush();
}

void Client::part(bool all_arrives) {
  parting_ = true;
  tail_is_lost = !all_arrives;
  if (kind.will) sent_.at(*kind.will).push_back({QoS::at_least_once, false, 30, true});
  resume();
}

void Client::leave() {
  parting_ = true;
  say(DisconnectView{});
  resume();
}

void Client::end_output() {
  ends_output_ = true;
  part(true);
}

void Client::close(bool all_arrives) {
  part(all_arrives);
  over_ = true;
  stream_->close();
}

// ---- What it hears.

void Client::end(std::string_view how) {
  over_ = true;
  if (!parting_) fail(fmt::format("{} {}", how, last_word_));
}

void Client::on_data(Bytes bytes) {
  while (!over_ && !common_.failed) {
    const auto frame = framer_.next(bytes);
    if (!frame) return fail(fmt::format("no packet: {}", frame.error().what));
    if (!*frame) break;
    const auto packet = decode(**frame, {kind.version, Sender::server});
    if (!packet) return fail(fmt::format("a broken packet: {}", packet.error().what));
    const std::string fault = watch_.find_fault(*packet, (*frame)->bytes.size());
    if (!fault.empty()) return fail(fault);
    on_packet(*packet);
  }
  flush();
}

void Client::on_packet(const PacketView& packet) {
  if (const auto* publish = std::get_if<PublishView>(&packet)) return on_publish(*publish);
  if (const auto* pubrec = std::get_if<PubrecView>(&packet)) {
    if (is_error(pubrec->reason)) fail("a message was refused");
    return say(PubrelView{{pubrec->packet_id}});
  }
  if (const auto* pubrel = std::get_if<PubrelView>(&packet))
    return say(PubcompView{{pubrel->packet_id}}, true);
  if (const auto* disconnect = std::get_if<DisconnectView>(&packet)) {
    last_word_ = reason_name(disconnect->reason, PacketType::disconnect);
    return;
  }
  if (const auto* connack = std::get_if<ConnackView>(&packet)) {
    connected_ = true;
    if (is_error(connack->reason)) fail("it was refused");
    return;
  }
  if (owed_-- == 0) return fail("an answer to nothing");
  if (const auto* puback = std::get_if<PubackView>(&packet); puback && is_error(puback->reason))
    fail("a message was refused");
  if (const auto* suback = std::get_if<SubackView>(&packet)) on_suback(*suback);
  if (std::holds_alternative<UnsubackView>(packet)) on_unsuback();
}

/// Whether messages of `from` have to come by some filter; not `certainly`: whether they may.
bool Client::covers(std::size_t from, std::size_t topic, bool certainly) const {
  return std::ranges::any_of(held, [&](const Filter& filter) {
    return (!certainly || filter.state == Filter::State::active) &&
           !(filter.options.no_local && from == number_) && topic_matches(filter.text, names.at(topic));
  });
}

void Client::meet(std::size_t publisher) {
  tracks_.emplace_back();
  for (std::size_t topic = 0; topic < names.size(); ++topic)
    if (!kind.shares && covers(publisher, topic, true)) tracks_.back().at(topic).due = 1;
}

void Client::on_suback(const SubackView& suback) {
  busy_ = false;
  Filter& filter = held.back();
  filter.state = Filter::State::active;
  if (suback.reasons[0] != to_number(filter.options.qos)) fail("another QoS was granted");
  for (std::size_t from = 0; from < tracks_.size() && !kind.shares; ++from)
    for (std::size_t topic = 0; topic < names.size(); ++topic)
      if (Track& track = tracks_[from].at(topic); track.due == 0 && covers(from, topic, true))
        track.due = common_.clients[from]->sent().at(topic).size() + 1;
  let_others_publish(filter.text);
}

void Client::on_unsuback() {
  busy_ = false;
  const auto left = std::ranges::find(held, Filter::State::leaving, &Filter::state);
  const std::string_view text = left->text;
  held.erase(left);
  for (std::size_t from = 0; from < tracks_.size(); ++from)
    for (std::size_t topic = 0; topic < names.size(); ++topic)
      if (!covers(from, topic, true))
        tracks_[from].at(topic) = {tracks_[from].at(topic).last, 0,
                                   common_.clients[from]->sent().at(topic).size()};
  let_others_publish(text);
}

/// At once, by other connections, where the server's threads may not all know what has changed.
void Client::let_others_publish(std::string_view filter) {
  for (const auto& other : common_.clients) {
    if (!other->here() || !other->kind.publishes || dice_.one_in(3)) continue;
    for (std::size_t topic = 0; topic < names.size(); ++topic)
      if (topic_matches(filter, names.at(topic))) other->publish(topic, QoS::at_most_once, false, 0, false);
    other->flush();
  }
}

void Client::on_publish(const PublishView& publish) {
  ++received;
  if (publish.qos == QoS::at_least_once) say(PubackView{{publish.packet_id}}, true);
  if (publish.qos == QoS::exactly_once) say(PubrecView{{publish.packet_id}}, true);
  std::string topic_name{publish.topic};
  if (const auto alias = publish.properties.number(PropertyId::topic_alias)) {
    if (!topic_name.empty()) names_of_aliases_[*alias] = topic_name;
    topic_name = names_of_aliases_[*alias];
  }
  std::size_t from = 0, topic = 0, number = 0, size = 0;
  unsigned qos = 0;
  const std::string head =
      to_string(publish.payload.first(std::min<std::size_t>(publish.payload.size(), 60)));
  const bool whole =
      std::sscanf(head.c_str(), "%zu %zu %zu %u %zu ", &from, &topic, &number, &qos, &size) == 5;
  if (!whole || from >= common_.clients.size() || topic >= names.size() || topic_name != names.at(topic) ||
      as_text(publish.payload) != payload_of(from, topic, number, static_cast<QoS>(qos), size))
    return fail(fmt::format("nobody sent this to {}: {}", topic_name, head));
  const auto& sent = common_.clients[from]->sent().at(topic);
  if (number == 0 && (sent.empty() || !sent.back().will))
    return fail(fmt::format("a Will of {} too early", from));
  if (number == 0) number = sent.size();
  if (number > sent.size() || publish.qos > sent[number - 1].qos) return fail("not as it was sent: " + head);
  if (publish.retain && !sent[number - 1].retain) return fail("retained, but was not: " + head);
  if (publish.retain && !kind.as_published) return;  // what was there when it subscribed
  take(from, topic, number, publish);
}

/// One that was just published.
void Client::take(std::size_t from, std::size_t topic, std::size_t number, const PublishView& publish) {
  const auto what = [&] {
    return fmt::format("QoS {} message {} of {} to {}", to_number(publish.qos), number, from,
                       names.at(topic));
  };
  if (kind.shares && parting_) return;  // all are: what waited for the other one of the group comes now, late
  Track& track = tracks_.at(from).at(topic);
  const Client& publisher = *common_.clients[from];
  const Sent& sent = publisher.sent().at(topic)[number - 1];
  if (number <= track.last)
    return fail(fmt::format("{} came {}", what(),
                            number == track.last ? "twice" : fmt::format("behind {}", track.last)));
  track.last = number;
  if (number > track.ceiling && !covers(from, topic, false)) return fail(what() + " was not asked for");
  if (kind.shares && !common_.shared[{from, topic}].insert(number).second)
    return fail(what() + " came to two");
  const bool excused = sent.will && publisher.tail_is_lost;
  for (; !excused && track.due != 0 && track.due < number; ++track.due)
    if (takes(publisher.sent().at(topic)[track.due - 1]))
      return fail(fmt::format("{} came, but not {}", what(), track.due));
  if (track.due != 0) track.due = std::max(track.due, number + 1);
  if (sent.exact) check_manner(sent, from, topic, publish);
}

/// Its QoS, RETAIN and Subscription Identifiers are those of all filters that match.
void Client::check_manner(const Sent& sent, std::size_t from, std::size_t topic, const PublishView& publish) {
  QoS qos = QoS::at_most_once;
  std::multiset<std::uint32_t> wanted, found;
  for (const Filter& filter : held) {
    if ((filter.options.no_local && from == number_) || !topic_matches(filter.text, names.at(topic)))
      continue;
    qos = std::max(qos, std::min(filter.options.qos, sent.qos));
    if (filter.identifier != 0) wanted.insert(filter.identifier);
  }
  for (const PropertyView& property : publish.properties)
    if (property.id == PropertyId::subscription_identifier) found.insert(property.number);
  if (publish.qos != qos || found != wanted || publish.retain != (sent.retain && kind.as_published))
    fail(fmt::format("it came with QoS {}, {} identifiers and RETAIN {} instead of {}, {}, {}",
                     to_number(publish.qos), found.size(), publish.retain, to_number(qos), wanted.size(),
                     sent.retain && kind.as_published));
}

std::string Client::find_missing() {
  if (over_) return {};
  if (parting_) return "the end of " + name();
  if (!connected_ || owed_ > 0) return fmt::format("{} answers to {}", owed_, name());
  for (std::size_t from = 0; from < tracks_.size(); ++from)
    for (std::size_t topic = 0; topic < names.size(); ++topic) {
      const Client& publisher = *common_.clients[from];
      const auto& sent = publisher.sent().at(topic);
      if (publisher.tail_is_lost) continue;
      if (kind.shares && common_.shared[{from, topic}].size() < sent.size())
        return fmt::format("messages of {} to {} for the group", from, names.at(topic));
      Track& track = tracks_[from].at(topic);
      while (track.due != 0 && track.due <= sent.size() && !takes(sent[track.due - 1])) ++track.due;
      if (track.due != 0 && track.due <= sent.size())
        return fmt::format("message {} of {} (of {} to {}, for {})", track.due, sent.size(), from,
                           names.at(topic), name());
    }
  return {};
}

std::string Client::name() const { return fmt::format("{} ({})", number_, to_string(kind.version)); }

std::size_t Client::count_sent() const {
  std::size_t count = 0;
  for (const auto& messages : sent_)
    count += static_cast<std::size_t>(std::ranges::count(messages, false, &Sent::will));
  return count;
}

}  // namespace mqtt::server::test::order
