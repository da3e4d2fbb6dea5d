#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mq {

/// What is in flight, on disk: so that a publisher that is killed and started again loses nothing, and sends
/// nothing twice at QoS 2.
///
/// The file is a log; all numbers are big-endian:
///
///   header   "mqspool1", u32 size of the client id, client id, u32 CRC-32 (IEEE 802.3) of all before it
///   records  u32 size of the body, u32 CRC-32 of the body, body
///   body     'M' u16 packet identifier, u8 flags (bits 0-1 QoS, bit 2 retain), u64 number of the input's
///   record,
///                u64 milliseconds since 1970 (when it was added), u16 size of the topic, topic,
///                u32 size of the properties, properties as in the packet, payload: all that is left
///            'R' u16 packet identifier: PUBREC came
///            'D' u16 packet identifier: done with
///            'T' u64: so many records of the input have been taken
///
/// The log ends at the first record of size 0 (space that was reserved), or that is not whole: what was being
/// written when the machine stopped was never sent. A record that matters to what leaves next is on disk
/// (fdatasync) before it leaves; 'D' alone may come later, since to lose one only makes its message, or its
/// PUBREL, leave once more. Space is reserved before a message is accepted, so that a full disk is noticed
/// while there is something to be done about it. Once the log is long and holds little that lives, it is
/// written anew beside the old one and renamed. One process at a time may have it (flock).
class Spool {
 public:
  struct Message {
    mqtt::PublishView header;  ///< with its packet identifier
    mqtt::Bytes payload;
    bool taken_over = false;    ///< only the packet identifier matters
    std::int64_t added_ms = 0;  ///< since 1970
  };

  enum class ClientId : std::uint8_t { given, made_up };

  /// Opens or makes it. `client_id` is for a new one, and if it was given also for one without messages.
  /// Error{system, EWOULDBLOCK} if another process has it, EBADMSG if the file is something else.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<Spool>> open(const std::string& path,
                                                                 std::string_view client_id, ClientId origin);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Whose session the messages belong to.
  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  /// Records of the input that the earlier process had taken.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  /// What is in flight, in the order in which last packets left. The views live for the call.
  [[nodiscard]] mqtt::Result<void> for_each(const std::function<void(const Message&)>& each) const;

  /// The input has been published whole, or another begins: nothing of it has been taken.
  void forget_input();
  /// To be called before the message is given to the session: an error here means that it will not fit.
  [[nodiscard]] mqtt::Result<void> reserve(const mqtt::PublishView& message, std::size_t payload_bytes);
  /// `message` with its packet identifier.
  void add(const mqtt::PublishView& message, mqtt::Bytes payload, std::uint64_t record, std::int64_t now_ms);
  void take_over(mqtt::PacketId id);
  void done(mqtt::PacketId id);
  /// What was done with is in the file, if there is room, though perhaps not on disk yet.
  void flush() { (void)write_pending(); }
  /// All that was added or taken over is on disk when it returns well.
  [[nodiscard]] mqtt::Result<void> commit();
  /// At the end of the process: the rest, and if nothing is in flight, an empty log.
  [[nodiscard]] mqtt::Result<void> finish();

 private:
  struct Live {
    std::uint64_t offset = 0;  // of the record, or where it will be
    std::uint32_t bytes = 0;   // with its head
    mqtt::PacketId id = 0;
    bool taken_over = false;
  };
  struct Record;

  Spool(std::string path, int fd) : path_{std::move(path)}, fd_{fd} {}

  [[nodiscard]] mqtt::Result<void> load(std::string_view client_id, ClientId origin);
  [[nodiscard]] mqtt::Result<void> load_header(std::string_view client_id);
  [[nodiscard]] mqtt::Result<void> start(std::string_view client_id);
  void replay(const Record& record);
  void put(const Live& live);
  void forget(mqtt::PacketId id);
  void append(std::string_view body);
  [[nodiscard]] mqtt::Result<void> write_pending();
  [[nodiscard]] mqtt::Result<void> grow(std::uint64_t size);
  [[nodiscard]] mqtt::Result<void> shrink();
  [[nodiscard]] mqtt::Result<void> rewrite();
  [[nodiscard]] mqtt::Result<std::string> read_at(std::uint64_t offset, std::size_t bytes) const;
  [[nodiscard]] std::unexpected<mqtt::Error> fail(int code, std::string_view what) const;

  std::string path_;
  int fd_;
  std::string client_id_;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t end_ = 0;        // of what has been written
  std::uint64_t reserved_ = 0;   // the file's size
  std::string pending_;          // to be written at end_
  bool durable_needed_ = false;  // something that is pending has to be on disk before packets leave
  std::uint64_t taken_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t live_bytes_ = 0;
  std::map<std::uint64_t, Live> by_order_;
  std::unordered_map<mqtt::PacketId, std::uint64_t> by_id_;
};

}  // namespace mq
