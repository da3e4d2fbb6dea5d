#pragma once
#include <cstddef>
#include <cstdint>

#include <mqtt/util/bytes.hpp>

namespace mqtt::net {

/// Where bytes that are to be written come from.
enum class Origin : std::uint8_t { home, shortcut };

/// A carried stream in its thread, as its Shortcut sees it. All of it in that thread, and nothing of it calls
/// the Shortcut.
class CarriedEnd {
 public:
  /// As if the stream had brought just that.
  virtual void send_home(Bytes bytes) = 0;
  /// StreamHandler::on_word(). What was sent home before has come there, but may wait for the handler to read
  /// on (ByteStream::holds_input()).
  virtual void tell_home(std::uint32_t word, Bytes bytes = {}) = 0;
  /// Behind all that waits to be written. Of its own, which home does not count, nothing leaves before
  /// flush(), which is for the same turn: home's waits behind it. Nothing leaves once home has ended the
  /// output.
  virtual void append(Bytes bytes, Origin origin) = 0;
  virtual void flush() = 0;
  /// Bytes that the stream has not taken.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  /// Reading stops until it is let go on.
  virtual void hold_reading() = 0;
  virtual void let_read() = 0;

 protected:
  ~CarriedEnd() = default;
};

/// What a thread does with a stream that it carries without asking home: it stands between the two, and may
/// answer itself what is read and write what home knows nothing of. Made and asked what it is called at home,
/// all else happens in the thread, where it ends with the stream.
class Shortcut {
 public:
  virtual ~Shortcut() = default;
  /// Before anything else, if there is a stream; `end` outlives this.
  virtual void begin(CarriedEnd& end) = 0;
  /// What the stream brings.
  virtual void on_read(Bytes bytes) = 0;
  /// There is no more, or no stream: what was kept has to go home now.
  virtual void on_read_over() = 0;
  /// To be appended, all of it and in order.
  virtual void on_from_home(Bytes bytes) = 0;
  /// The stream has taken all that waited.
  virtual void on_drained() = 0;
};

}  // namespace mqtt::net
