#pragma once
#include <cstdint>
#include <map>
#include <memory>

#include <mqtt/broker/connection.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/util/chunk.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::server {

class Exchange;
class Lane;
class Link;

/// When links have had their time: to leave, or to take something.
using LinkDeadlines = std::multimap<TimePoint, Link*>;

/// One connection: a stream and what the broker knows it as. Thousands of them are idle at any time, so
/// what only a closing one needs is apart.
///
/// A link lives through: open (it has a Connection), draining (the broker has let go of it, its last
/// packets are still to be written), lingering (they are written, our direction is shut down, and the
/// peer has some time to close its own), ended.
class Link final : private net::StreamHandler, private broker::ConnectionOwner {
 public:
  Link(Exchange& exchange, std::unique_ptr<net::ByteStream> stream, std::uint16_t listener);
  ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Gives it to the broker and starts to read.
  void open(broker::ConnectionInfo info);

  // A turn's end calls for each link that has something to do: write() or cut_off(), then settle().

  /// Hands the stream what it takes of the output. Calls nothing of the broker, so that all that one
  /// commit() was for is written before anything new can come up.
  void write();
  /// What is queued may leave only after a commit() that succeeds.
  [[nodiscard]] bool has_promised() const { return !connection_ || connection_->has_promised(); }
  /// The commit() failed: what is queued must not leave, so the connection cannot go on.
  void cut_off();
  /// Tells the broker what was written, and does what it and the peer want: reading, closing.
  void settle();

  /// It had read its share of the turn; another turn begins.
  void end_rest();
  /// Its time is up, whatever it waits for.
  void give_up();

  /// Among the exchange's links.
  [[nodiscard]] std::uint32_t place() const { return place_; }
  void set_place(std::uint32_t place) { place_ = place; }
  [[nodiscard]] std::uint16_t listener() const { return listener_; }

  // Routes past the broker (lane.hpp).

  /// Whose connection it is.
  [[nodiscard]] static Link& of(broker::ConnectionOwner& owner) { return static_cast<Link&>(owner); }
  /// Null: the loop has the connection itself, or it is closing.
  [[nodiscard]] Lane* lane() const;
  /// lane(), if messages may be given to it: few wait there.
  [[nodiscard]] Lane* quick_lane() const { return slow_ ? nullptr : lane(); }
  /// Nothing that the client has sent waits here.
  [[nodiscard]] bool is_caught_up() const { return !paused_ && !stream_->holds_input(); }
  /// Tells the lane where messages to `topic` go.
  void answer(std::string_view topic);

 private:
  void on_data(Bytes bytes) override;
  void on_writable() override;
  void on_end() override;
  void on_error(Error error) override;
  void on_word(std::uint32_t word, Bytes bytes) override;
  void on_ready() override { enlist(); }

  void enlist();
  [[nodiscard]] OutBuffer& output() { return connection_ ? connection_->output() : *last_output_; }
  void note_read(std::size_t size);
  void follow_answers();
  void follow_reading();
  void settle_with_broker();
  void leave_broker();
  void close_connection();
  void set_deadline(Duration from_now);
  void drop_deadline();
  void close_down();
  void end();

  Exchange& exchange_;
  std::unique_ptr<net::ByteStream> stream_;   // null: ended
  broker::Connection* connection_ = nullptr;  // null: the broker has let go
  std::unique_ptr<OutBuffer> last_output_;    // set before connection_ becomes null
  LinkDeadlines::iterator deadline_;          // the end: none
  std::uint32_t place_ = 0;
  std::uint32_t read_turn_ = 0;   // the turn that read_bytes_ is about
  std::uint32_t read_bytes_ = 0;  // bytes read in it
  std::uint16_t listener_;        // index of the one it came through
  bool enlisted_ : 1 = false;     // settle() will come
  bool blocked_ : 1 = false;      // on_writable() will come
  bool wrote_ : 1 = false;        // since the last settle()
  bool write_failed_ : 1 = false;
  bool draining_ : 1 = false;      // what it still says is read, for a time
  bool unheard_ : 1 = false;       // not read from, for the answers that it does not take
  bool paused_ : 1 = false;        // the stream's reading
  bool resting_ : 1 = false;       // until the turn ends
  bool peer_ended_ : 1 = false;    // on_end() came
  bool said_goodbye_ : 1 = false;  // DISCONNECT: the client says nothing more
  bool shut_down_ : 1 = false;     // our direction of the stream
  bool slow_ : 1 = false;          // much waits in its lane
  bool lost_ : 1 = false;          // nothing can be said any more: end at once
};

static_assert(sizeof(Link) <= 72, "thousands are idle");

}  // namespace mqtt::server
