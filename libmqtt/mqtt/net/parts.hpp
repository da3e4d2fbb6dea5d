#pragma once
#include <sys/uio.h>

#include <algorithm>
#include <span>

#include <mqtt/util/bytes.hpp>

namespace mqtt::net {

/// Reads the bytes of a gathered write from front to back.
class Parts {
 public:
  explicit Parts(std::span<const iovec> parts) : parts_{parts} {
    for (const iovec& part : parts_) left_ += part.iov_len;
  }

  [[nodiscard]] std::size_t left() const { return left_; }

  /// Takes up to `size` bytes that lie together; empty only at the end (or for a size of 0).
  Bytes take(std::size_t size) {
    while (!parts_.empty() && offset_ == parts_.front().iov_len) {
      parts_ = parts_.subspan(1);
      offset_ = 0;
    }
    if (parts_.empty()) return {};
    const iovec& part = parts_.front();
    const Bytes taken{static_cast<const std::uint8_t*>(part.iov_base) + offset_,
                      std::min(size, part.iov_len - offset_)};
    offset_ += taken.size();
    left_ -= taken.size();
    return taken;
  }

  void skip(std::size_t size) {
    while (size > 0) size -= take(size).size();
  }

  /// Fills `space` as far as the bytes go; returns how many it copied.
  std::size_t copy_to(MutableBytes space) {
    const std::size_t wanted = std::min(space.size(), left_);
    for (std::size_t copied = 0; copied < wanted;) {
      const Bytes piece = take(wanted - copied);
      std::ranges::copy(piece, space.begin() + static_cast<std::ptrdiff_t>(copied));
      copied += piece.size();
    }
    return wanted;
  }

  /// True if the next `size` bytes lie together, so that they can be used where they are.
  [[nodiscard]] bool contiguous(std::size_t size) const {
    return !parts_.empty() && parts_.front().iov_len - offset_ >= size;
  }

 private:
  std::span<const iovec> parts_;
  std::size_t offset_ = 0;  // in the first part
  std::size_t left_ = 0;
};

}  // namespace mqtt::net
