#pragma once

namespace mqtt::net {

/// Lets a function find out that a callback has destroyed the object whose member it is:
///
///   const Lifetime::Watch watch{lifetime_};
///   handler_->on_data(bytes);
///   if (watch.ended()) return;
///
/// Watches live on the stack and end in reverse order of their beginning.
class Lifetime {
 public:
  /// Lives on the stack over a call that may destroy the object whose Lifetime it is.
  class Watch {
   public:
    explicit Watch(Lifetime& lifetime) : lifetime_{&lifetime}, outer_{lifetime.innermost_} {
      lifetime.innermost_ = this;
    }
    ~Watch() {
      if (lifetime_) lifetime_->innermost_ = outer_;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    [[nodiscard]] bool ended() const { return lifetime_ == nullptr; }

   private:
    friend class Lifetime;
    Lifetime* lifetime_;
    Watch* outer_;
  };

  Lifetime() = default;
  ~Lifetime() {
    for (Watch* watch = innermost_; watch; watch = watch->outer_) watch->lifetime_ = nullptr;
  }
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

 private:
  Watch* innermost_ = nullptr;
};

}  // namespace mqtt::net
