#include <mqtt/inspect/post_mortem.hpp>

#include <fmt/format.h>

#include <mqtt/inspect/shown.hpp>

namespace mqtt {
namespace {

constexpr auto client = Sender::client, server = Sender::server;

/// A fault explains an end that comes so soon after it.
constexpr Duration fault_explains = std::chrono::seconds{5};

using Why = std::optional<std::string>;

/// What a post-mortem looks at.
struct Case {
  const FlowClose& close;
  const FlowState& state;
  const std::optional<Finding>& last;
};

std::string_view name(Sender sender) { return sender == client ? "client" : "server"; }

std::string span(Duration duration) {
  const auto unit =
      duration < std::chrono::seconds{1} ? std::chrono::microseconds{1} : std::chrono::milliseconds{1};
  return format_duration(duration - duration % unit);
}

std::string coded(ReasonCode reason, PacketType type) {
  return fmt::format("{} (0x{:02x})", reason_name(reason, type), static_cast<unsigned>(reason));
}

std::string said(std::string_view reason_string) {
  return reason_string.empty() ? std::string{} : fmt::format(", \"{}\"", shown(reason_string));
}

Why nothing_said(const Case& c) {
  if (c.state.packets > 0 || c.state.connect) return std::nullopt;
  return "closed before any MQTT packet";
}

Why refused(const Case& c) {
  if (!c.state.refused()) return std::nullopt;
  const ConnackFacts& connack = *c.state.connack;
  if (c.state.version != Version::v5)
    return fmt::format("server refused: {} ({})", to_string(connack.return_code),
                       static_cast<unsigned>(connack.return_code));
  return fmt::format("server refused: {}{}", coded(connack.reason, PacketType::connack),
                     said(connack.reason_string));
}

/// What a server means by its code, where the connection shows more.
std::string explained(const Case& c, ReasonCode reason) {
  if (reason == ReasonCode::session_taken_over && c.state.connect)
    return fmt::format(": another connection came with client id {}", shown(c.state.connect->client_id));
  const auto& last = c.state.side(client).last;
  if (reason == ReasonCode::keep_alive_timeout && last && c.state.side(server).disconnect)
    return fmt::format(": the client was silent for {}, its Keep Alive is {}",
                       span(c.state.side(server).disconnect->step.time - last->time),
                       span(c.state.keep_alive()));
  return {};
}

/// An error of the other side shortly before.
Why after_fault(const Case& c, Sender by, TimePoint when) {
  if (!c.last || c.last->side == by || when - c.last->packet.time > fault_explains) return std::nullopt;
  return fmt::format("{} fault {} {} ({}) {} earlier", name(c.last->side), to_string(c.last->version),
                     c.last->clause, c.last->text, span(when - c.last->packet.time));
}

Why disconnected(const Case& c) {
  for (const Sender sender : {server, client}) {
    const auto& packet = c.state.side(sender).disconnect;
    if (!packet) continue;
    if (packet->reason == ReasonCode::normal_disconnection)
      return fmt::format("{} ended it with DISCONNECT", name(sender));
    const Why fault = after_fault(c, sender, packet->step.time);
    return fmt::format("{} sent DISCONNECT: {}{}{}{}", name(sender),
                       coded(packet->reason, PacketType::disconnect), said(packet->reason_string),
                       explained(c, packet->reason), fault ? "; " + *fault : "");
  }
  return std::nullopt;
}

Why fault_before(const Case& c) {
  if (!c.close.by) return std::nullopt;
  const Why fault = after_fault(c, *c.close.by, c.close.time);
  return fault ? Why{fmt::format("{} closed: {}", name(*c.close.by), *fault)} : std::nullopt;
}

Why never_connected(const Case& c) {
  if (!c.state.connect || c.state.connack || !c.close.by) return std::nullopt;
  return fmt::format("{} closed {} after CONNECT, which was not answered", name(*c.close.by),
                     span(c.close.time - c.state.connect->step.time));
}

/// One and a half keep-alives, or what is left of them on the way to us [MQTT-3.1.2-22].
Why client_was_silent(const Case& c) {
  const Duration keep_alive = c.state.keep_alive();
  const auto& last = c.state.side(client).last;
  if (c.close.by != server || keep_alive == Duration{} || !last) return std::nullopt;
  const Duration silence = c.close.time - last->time;
  if (silence < keep_alive * 14 / 10) return std::nullopt;
  return fmt::format("server closed: the client was silent for {}, its Keep Alive is {}", span(silence),
                     span(keep_alive));
}

Why server_was_silent(const Case& c) {
  if (c.close.by != client || c.state.pings.empty()) return std::nullopt;
  return fmt::format("client closed: its PINGREQ was not answered for {}",
                     span(c.close.time - c.state.pings.front().time));
}

std::string unexplained(const Case& c) {
  const std::string how = !c.close.by ? "the connection ended"
                          : c.close.how == FlowClose::How::reset
                              ? fmt::format("{} reset the connection", name(*c.close.by))
                              : fmt::format("{} closed", name(*c.close.by));
  if (!c.state.all_seen()) return how + ": not all of it was seen";
  return how + " without DISCONNECT, and nothing that was seen explains it";
}

}  // namespace

PostMortem post_mortem(const FlowClose& close, const FlowState& state, const std::optional<Finding>& last) {
  struct Cause {
    std::string_view name;
    Why (*find)(const Case&);
  };
  static constexpr Cause causes[] = {{"silent", nothing_said},
                                     {"refused", refused},
                                     {"disconnect", disconnected},
                                     {"fault", fault_before},
                                     {"unanswered-connect", never_connected},
                                     {"keep-alive", client_was_silent},
                                     {"unanswered-ping", server_was_silent}};
  const Case c{close, state, last};
  for (const Cause& cause : causes) {
    Why why = cause.find(c);
    if (!why) continue;
    if (cause.name != "fault") return {cause.name, *std::move(why)};
    return {last->side == client ? "client-fault" : "server-fault", *std::move(why)};
  }
  return {"unexplained", unexplained(c)};
}

}  // namespace mqtt
