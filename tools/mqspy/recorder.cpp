#include "mqspy/recorder.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include <mqtt/inspect/post_mortem.hpp>

namespace mq::spy {

using mqtt::Sender;

/// One connection: its flow, and what was found on it.
class Recorder::Tracked final : public mqtt::FlowWatcher {
 public:
  Tracked(Recorder& owner, Link link, const LinkInfo& info)
      : owner_{owner}, link_{std::move(link)}, flow_{info.start, info.version} {}

  void before_packet(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) override {
    findings_.clear();
    mqtt::lint(packet, state, findings_, owner_.neighbours_.origins(place(), packet));
    keep_last_error();
  }

  void after_packet(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) override {
    const InFlight in_flight{state.side(Sender::client).messages.size(),
                             state.side(Sender::server).messages.size()};
    owner_.sink_.on_packet({link_, packet, state, in_flight, findings_});
    follow_client_id(packet, state);
    owner_.neighbours_.take_in(place(), packet, flow_);
  }

  void on_close(const mqtt::FlowClose& close, const mqtt::FlowState& state) override {
    mqtt::PostMortem why = mqtt::post_mortem(close, state, last_error_);
    if (auto taken_over = owner_.takeovers_.ended(link_, close, state))
      why = {.cause = "taken-over", .text = std::move(*taken_over)};
    findings_.clear();
    mqtt::lint(close, state, findings_);
    owner_.neighbours_.ended(place(), state, close.time);
    keep_last_error();
    owner_.sink_.on_close(
        {link_, close, state, findings_, why.cause, why.text, last_error_ ? &*last_error_ : nullptr});
  }

  [[nodiscard]] const Link& link() const { return link_; }
  [[nodiscard]] mqtt::Flow& flow() { return flow_; }

 private:
  [[nodiscard]] mqtt::Neighbours::Place place() const { return {link_.number, link_.server}; }

  void follow_client_id(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) {
    if (!packet.packet) return;
    if (const auto* connect = std::get_if<mqtt::ConnectView>(&*packet.packet))
      owner_.takeovers_.connecting(link_, connect->client_id, packet.step.time);
    else if (std::holds_alternative<mqtt::ConnackView>(*packet.packet) && state.refused())
      owner_.takeovers_.refused(link_);
  }

  void keep_last_error() {
    for (const mqtt::Finding& finding : findings_) {
      if (finding.severity == mqtt::Severity::error) last_error_ = finding;
    }
  }

  Recorder& owner_;
  Link link_;
  mqtt::Flow flow_;
  std::vector<mqtt::Finding> findings_;
  std::optional<mqtt::Finding> last_error_;
};

Recorder::Recorder(RecordSink& sink, RecorderLimits limits)
    : sink_{sink}, limits_{limits}, neighbours_{[this](Id id) {
        Tracked* const tracked = find(id);
        return tracked ? &tracked->flow() : nullptr;
      }} {}
Recorder::~Recorder() = default;

Recorder::Tracked* Recorder::find(Id id) const {
  if (last_ && last_id_ == id) return last_;
  const auto found = open_.find(id);
  if (found == open_.end()) return nullptr;
  last_id_ = id;
  last_ = found->second.get();
  return last_;
}

const mqtt::FlowState* Recorder::state(Id id) const {
  Tracked* const tracked = find(id);
  return tracked ? &tracked->flow().state() : nullptr;
}

mqtt::WebSocketFacts* Recorder::websocket(Id id) {
  Tracked* const tracked = find(id);
  return tracked ? &tracked->flow().websocket() : nullptr;
}

Recorder::Id Recorder::open(LinkInfo info, mqtt::TimePoint now) {
  if (open_.size() >= limits_.connections_max) {
    note(fmt::format("more than {} connections at once: the oldest is not followed any more",
                     limits_.connections_max),
         now, open_.begin()->first);
    close(open_.begin()->first, {.by = {}, .how = mqtt::FlowClose::How::unknown, .time = now});
  }
  const Id id = ++opened_;
  Link link{.number = id,
            .client = std::move(info.client),
            .server = std::move(info.server),
            .transport = std::move(info.transport),
            .partial = info.start != mqtt::Flow::Start::connection,
            .opened = now};
  const auto& tracked =
      open_.emplace(id, std::make_unique<Tracked>(*this, std::move(link), info)).first->second;
  sink_.on_open({tracked->link()});
  return id;
}

void Recorder::receive(Id id, Sender sender, mqtt::TimePoint now, mqtt::Bytes bytes) {
  if (Tracked* const tracked = find(id)) tracked->flow().receive(sender, now, bytes, *tracked);
}

void Recorder::gap(Id id, Sender sender, mqtt::TimePoint now, std::uint64_t bytes) {
  Tracked* const tracked = find(id);
  if (!tracked) return;
  tracked->flow().gap(sender);
  sink_.on_gap({tracked->link(), now, sender, bytes});
}

void Recorder::leave_out(Id id, Sender sender, mqtt::TimePoint now, std::uint64_t bytes) {
  if (Tracked* const tracked = find(id)) tracked->flow().leave_out(sender, now, bytes, *tracked);
}

void Recorder::give_up_rest(Id id, Sender sender, mqtt::TimePoint now) {
  if (Tracked* const tracked = find(id)) tracked->flow().give_up_rest(sender, now, *tracked);
}

void Recorder::close(Id id, const mqtt::FlowClose& close) {
  Tracked* const tracked = find(id);
  if (!tracked) return;
  tracked->flow().close(close, *tracked);
  last_ = nullptr;
  open_.erase(id);
}

void Recorder::disturbed(Id id, const Disturbance& what) {
  if (Tracked* const tracked = find(id))
    sink_.on_fault({tracked->link(), what.time, what.sender, tracked->flow().state().packets, what.rule,
                    what.action, what.original, what.sent});
}

void Recorder::note(std::string_view text, std::optional<mqtt::TimePoint> time, std::optional<Id> id) {
  Tracked* const tracked = id ? find(*id) : nullptr;
  sink_.on_note({tracked ? &tracked->link() : nullptr, time, text});
}

void Recorder::finish(mqtt::TimePoint now) {
  while (!open_.empty())
    close(open_.begin()->first, {.by = {}, .how = mqtt::FlowClose::How::unknown, .time = now});
  sink_.on_end();
}

}  // namespace mq::spy
