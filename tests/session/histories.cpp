// session_histories COUNT FIRST_SEED: random histories of a ClientSession and a ServerSession back to back.
//
// Bytes travel in random parts and are lost when the connection is cut; both sides publish, acknowledge
// late and out of order, reconnect and go on. Each history is decided by its seed alone. It must end with
// every QoS 1 message delivered at least once and every QoS 2 message exactly once, first deliveries in
// the order of publishing, no identifier taken twice, acknowledgements in order, nothing sent again on a
// live connection, and nothing lost that was reported as published. Somebody who watches from in between must
// not find an error in what they say.
#include <cstdio>
#include <string>

#include <mqtt/inspect/lint.hpp>

#include "history_model.hpp"

namespace mqtt::test {
namespace {

/// Looks at one connection as it goes by.
class Watcher final : public FlowWatcher {
 public:
  explicit Watcher(Fault& fault) : fault_{fault} {}

  void open() { flow_.emplace(); }
  void see(Sender sender, Bytes bytes) { flow_->receive(sender, {}, bytes, *this); }

  void before_packet(const FlowPacket& packet, const FlowState& state) override {
    std::vector<Finding> findings;
    lint(packet, state, findings);
    for (const Finding& f : findings)
      if (f.severity == Severity::error) fault_.found(fmt::format("lint: {} {}", f.clause, f.text));
  }
  void after_packet(const FlowPacket&, const FlowState&) override {}
  void on_close(const FlowClose&, const FlowState&) override {}

 private:
  Fault& fault_;
  std::optional<mqtt::Flow> flow_;
};

/// The network between the two ends, and what happens in which order.
class History {
 public:
  explicit History(std::uint64_t seed) : random_{seed} {
    plan_.version = random_.one_in(3) ? Version::v3_1_1 : Version::v5;
    plan_.server_forgets = random_.one_in(8);
    plan_.cut_one_in = 15 + random_.below(100);
    plan_.messages = 1 + random_.below(25);
    if (plan_.server_forgets) server_.forgets();
  }

  /// What went wrong, or nothing.
  std::string run() {
    open();
    for (int step = 0; step < 300 && fault_.none(); ++step) act(random_.below(plan_.cut_one_in + 14));
    // From here on nothing is cut: everything has to arrive.
    for (int round = 0; round < 3000 && fault_.none() && !done(); ++round) {
      for (std::size_t action = 0; action < 14; ++action) act(action);
    }
    if (!done()) fault_.found("it never came to its end");
    check_all_arrived();
    return fault_.text();
  }

 private:
  void open() {
    to_server_.clear();
    to_client_.clear();
    watcher_.open();
    server_.open();
    client_.connect();
  }

  void cut() {
    ++cuts_;
    if (random_.one_in(6) && client_.session.connected()) (void)client_.session.disconnect({});
    client_.session.on_transport_closed({});
    server_.close();
    if (plan_.server_forgets && random_.one_in(3)) server_.forget();
    open();
  }

  void act(std::size_t action) {
    switch (action) {
      case 0:
      case 1: client_.publish(); break;
      case 2:
      case 3: server_.publish(); break;
      case 4:
      case 5: write(Sender::client, client_.session.output(), to_server_); break;
      case 6:
      case 7: write(Sender::server, server_.session->output(), to_client_); break;
      case 8:
      case 9: read(to_server_, [&](Bytes b) { server_.session->receive({}, b, server_); }); break;
      case 10:
      case 11: read(to_client_, [&](Bytes b) { client_.session.receive({}, b, client_); }); break;
      case 12: client_.acknowledge(client_.session); break;
      case 13: server_.acknowledge(*server_.session); break;
      case 14: random_.one_in(3) ? client_.subscribe() : cut(); break;
      default: server_.accept(); break;
    }
    if (action == 13) server_.accept();
    complain(client_.session.close_info(), "client");
    complain(server_.session->close_info(), "server");
  }

  void complain(const CloseInfo* info, std::string_view side) {
    const bool wanted = !info || info->reason == CloseReason::local_disconnect ||
                        info->reason == CloseReason::peer_disconnect;
    if (wanted) return;
    fault_.found(
        fmt::format("the {} closed: {}", side, info->error ? info->error->what : "not a protocol error"));
  }

  void write(Sender sender, OutBuffer& output, std::string& wire) {
    iovec part{};
    if (output.gather({&part, 1}) == 0) return;
    const std::size_t size = 1 + random_.below(part.iov_len);
    wire.append(static_cast<const char*>(part.iov_base), size);
    watcher_.see(sender, as_bytes(std::string_view{wire}.substr(wire.size() - size)));
    output.consume(size);
  }

  template <class Receive>
  void read(std::string& wire, Receive receive) {
    if (wire.empty()) return;
    // A copy of its own: what is kept of a view too long is seen by the address sanitizer.
    const std::string part = wire.substr(0, 1 + random_.below(wire.size()));
    wire.erase(0, part.size());
    receive(as_bytes(part));
  }

  [[nodiscard]] bool done() const {
    return client_.session.connected() && server_.session->connected() &&
           to_server_flow_.messages.size() == plan_.messages &&
           to_client_flow_.messages.size() == plan_.messages && client_.session.in_flight() == 0 &&
           server_.session->in_flight() == 0;
  }

  void check_all_arrived() {
    test::check_all_arrived(to_server_flow_, "to the server", fault_);
    // What a server forgets it may lose.
    if (!plan_.server_forgets) test::check_all_arrived(to_client_flow_, "to the client", fault_);
  }

  Random random_;
  Plan plan_;
  Fault fault_;
  Watcher watcher_{fault_};
  ChunkPool pool_;
  Flow to_server_flow_, to_client_flow_;
  std::string to_server_, to_client_;
  ClientEnd client_{pool_, plan_, to_server_flow_, to_client_flow_, fault_, random_};
  ServerEnd server_{pool_, plan_, to_client_flow_, to_server_flow_, fault_, random_};
  unsigned cuts_ = 0;

 public:
  [[nodiscard]] unsigned cuts() const { return cuts_; }
};

}  // namespace
}  // namespace mqtt::test

int main(int argc, char** argv) {
  using namespace mqtt;
  const auto count = argc > 1 ? parse_number<std::uint64_t>(argv[1]) : 1000;
  const auto first = argc > 2 ? parse_number<std::uint64_t>(argv[2]) : 1;
  if (!count || !first) {
    fmt::print(stderr, "usage: session_histories COUNT FIRST_SEED\n");
    return 2;
  }
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = *first; seed < *first + *count; ++seed) {
    test::History history{seed};
    const std::string fault = history.run();
    cuts += history.cuts();
    if (fault.empty()) continue;
    fmt::print(stderr, "seed {}: {}\n(again: session_histories 1 {})\n", seed, fault, seed);
    return 1;
  }
  fmt::print("{} histories, {} connections cut\n", *count, cuts);
  return cuts > 0 || *count < 100 ? 0 : 1;
}
