#include <mqtt/net/mailbox.hpp>

#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {
namespace {

/// So much need not wait for the turn's end: the other thread can begin.
constexpr std::size_t handed_over_at_once = 256 * 1024;
/// Buffers that a burst has made larger go back to the allocator.
constexpr std::size_t bytes_kept_max = 1024 * 1024;
constexpr std::size_t letters_kept_max = 16 * 1024;

}  // namespace

struct Inbox::Wake {
  uv_poll_t handle{};
  OwnedFd event;
};

void Mail::append(Mail& later) {
  const std::size_t before = bytes.size();
  bytes.insert(bytes.end(), later.bytes.begin(), later.bytes.end());
  for (Letter& letter : later.letters) letter.end += before;
  std::ranges::move(later.letters, std::back_inserter(letters));
  later.clear();
}

void Mail::clear() {
  letters.clear();
  bytes.clear();
  if (letters.capacity() > letters_kept_max) letters = std::vector<Letter>{};
  if (bytes.capacity() > bytes_kept_max) bytes = std::vector<std::uint8_t>{};
}

Inbox::Inbox(Loop& to, OwnedFd event) : wake_{new Wake{{}, std::move(event)}} {
  uv_poll_init(to.handle(), &wake_->handle, wake_->event.get());
  wake_->handle.data = this;
  uv_poll_start(&wake_->handle, UV_READABLE,
                [](uv_poll_t* handle, int, int) { static_cast<Inbox*>(handle->data)->on_wake(); });
}

Inbox::~Inbox() { close_and_delete(wake_); }

void Inbox::set_expected(bool expected) {
  if (expected)
    uv_ref(as_handle(wake_->handle));
  else
    uv_unref(as_handle(wake_->handle));
}

void Inbox::put(Mail& mail) {
  {
    const std::lock_guard lock{mutex_};
    if (!under_way_.letters.empty()) return under_way_.append(mail);  // it is awake already
    std::swap(under_way_, mail);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(wake_->event.get(), &one, sizeof one);
}

/// Before it looks, so that what is handed over behind that wakes it up again.
void Inbox::on_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(wake_->event.get(), &count, sizeof count);
  receive();
}

void Inbox::receive() {
  {
    const std::lock_guard lock{mutex_};
    std::swap(under_way_, read_);
  }
  std::size_t begin = 0;
  for (Mail::Letter& letter : read_.letters) {
    letter.call(Bytes{read_.bytes}.subspan(begin, letter.end - begin));
    begin = letter.end;
  }
  read_.clear();
}

void Mailbox::post(Call call, Bytes bytes) {
  written_.bytes.insert(written_.bytes.end(), bytes.begin(), bytes.end());
  seal(std::move(call));
}

void Mailbox::post(Call call, Parts& bytes, std::size_t size) {
  while (size > 0) {
    const Bytes piece = bytes.take(size);
    written_.bytes.insert(written_.bytes.end(), piece.begin(), piece.end());
    size -= piece.size();
  }
  seal(std::move(call));
}

void Mailbox::seal(Call call) {
  written_.letters.push_back({std::move(call), written_.bytes.size()});
  if (written_.bytes.size() >= handed_over_at_once) return hand_over();
  turn_end_.request();
}

void Mailbox::hand_over() {
  turn_end_.cancel();
  if (written_.letters.empty()) return;
  for (Mailbox* const other : earlier_) other->hand_over();
  to_.put(written_);
}

}  // namespace mqtt::net
