#pragma once
#include <mqtt/net/filter_stream.hpp>

namespace mqtt::net {

/// A filter that only has a handshake: what comes after it is the inner stream's own.
class PassThroughStream : public FilterStream {
 public:
  using FilterStream::FilterStream;

  Result<std::size_t> write(std::span<const iovec> parts) override;
  void shutdown() override { end_output(); }
  StreamProperties properties() const override { return inner().properties(); }

 protected:
  /// Takes what is the handshake's from the intake. True if it is over and this object still exists.
  [[nodiscard]] virtual bool shake_hands() = 0;
  /// The peer has ended before the handshake was over.
  [[nodiscard]] virtual Error cut_short() const = 0;
  /// succeed(): false if that has destroyed this object.
  [[nodiscard]] bool succeeded();

 private:
  void process() override;
  void on_input_end() override;
};

}  // namespace mqtt::net
