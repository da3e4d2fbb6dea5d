#pragma once
#include <cstdint>
#include <memory>

#include <mqtt/util/error.hpp>

namespace mq::bench {

/// A broker in a thread of this process, on a free port of 127.0.0.1: the least that a run can cost on this
/// machine.
class EmbeddedBroker {
 public:
  [[nodiscard]] static mqtt::Result<std::unique_ptr<EmbeddedBroker>> start();
  ~EmbeddedBroker();
  EmbeddedBroker(const EmbeddedBroker&) = delete;
  EmbeddedBroker& operator=(const EmbeddedBroker&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  explicit EmbeddedBroker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mq::bench
