#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/owned_fd.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/util/bytes.hpp>

namespace mqtt::net {

/// Calls for a loop's thread, each with the bytes that it is about.
struct Mail {
  /// `bytes` are a copy of those that were posted along, valid during the call. Captures of up to 16
  /// bytes cost no allocation.
  using Call = std::move_only_function<void(Bytes bytes)>;

  /// One call.
  struct Letter {
    Call call;
    std::size_t end = 0;  // of its bytes, which begin where those of the one before end
  };
  std::vector<Letter> letters;
  std::vector<std::uint8_t> bytes;

  void append(Mail& later);
  void clear();
};

/// Where calls for one loop's thread arrive, from any number of Mailboxes, in the order in which these hand
/// them over.
class Inbox {
 public:
  /// Made, and destroyed, while no thread runs `to`, or in that thread; calls that wait are then dropped.
  /// `event` is an eventfd that does not block. (Not libuv's own way of waking a loop up: who is woken up
  /// before the other thread has come out of that spins until it has, on one processor for 50 us each time.)
  Inbox(Loop& to, OwnedFd event);
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// In any thread: takes all of it.
  void put(Mail& mail);

  // In the thread of `to`.

  /// Makes the calls that were handed over, which may neither destroy this nor call it; comes from the loop.
  void receive();
  /// Whether something is expected that `to`'s run() has to wait for; so it is in the beginning.
  void set_expected(bool expected);

 private:
  struct Wake;

  void on_wake();

  std::mutex mutex_;
  Mail under_way_;  // guarded
  Mail read_;
  Wake* wake_;
};

/// What the thread of one loop has the thread of another one do: calls, in order. What a turn has gathered is
/// handed over at its end, all at once: that is one wake-up, and no allocation once the buffers have grown.
/// The bytes have no bound here: who posts has one. All of it is for the thread of `from`.
class Mailbox {
 public:
  using Call = Mail::Call;

  Mailbox(Loop& from, Inbox& to) : to_{to}, turn_end_{from, [this] { hand_over(); }} {}

  void post(Call call, Bytes bytes = {});
  /// With the first `size` of `bytes`.
  void post(Call call, Parts& bytes, std::size_t size);
  /// Not only when the turn ends.
  void hand_over();
  /// What waits in `other`, which outlives this, is always handed over before what waits here.
  void hand_over_after(Mailbox& other) { earlier_.push_back(&other); }

 private:
  void seal(Call call);

  Inbox& to_;
  Mail written_;
  std::vector<Mailbox*> earlier_;
  TurnEnd turn_end_;
};

}  // namespace mqtt::net
