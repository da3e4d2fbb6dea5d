#include <mqtt/inspect/neighbours.hpp>

namespace mqtt {

void Neighbours::connect(const Place& place, const Step& step, Flow& flow) {
  if (flow.state().connect->step.number != step.number) return;  // the second one
  auto arrival = sessions_.arrived(place.connection, place.server, flow.state());
  if (arrival.past) flow.remember(*std::move(arrival.past));
  Flow* const holder = arrival.holder != 0 ? find_(arrival.holder) : nullptr;
  if (!holder) return;
  holder->challenge(step.time);
  challenged_[place.connection] = arrival.holder;
}

void Neighbours::connack(const Place& place, const Step& step, Flow& flow) {
  const FlowState& state = flow.state();
  if (!state.connack || state.connack->step.number != step.number || !state.accepted()) return;
  if (const auto challenged = challenged_.find(place.connection); challenged != challenged_.end())
    if (Flow* const holder = find_(challenged->second)) holder->supersede(step.time);
  if (!state.connack->assigned_id) return;
  if (sessions_.arrived(place.connection, place.server, state).holder != 0) flow.assigned_id_taken();
}

void Neighbours::take_in(const Place& place, const FlowPacket& packet, Flow& flow) {
  if (!packet.packet) return;
  exchange_.take_in(place.connection, place.server, packet);
  if (std::holds_alternative<ConnectView>(*packet.packet)) connect(place, packet.step, flow);
  if (std::holds_alternative<ConnackView>(*packet.packet)) connack(place, packet.step, flow);
}

void Neighbours::ended(const Place& place, const FlowState& state, TimePoint now) {
  challenged_.erase(place.connection);
  sessions_.ended(place.connection, place.server, state, now);
  exchange_.ended(place.connection, state, now);
}

}  // namespace mqtt
