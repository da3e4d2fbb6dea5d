#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace mqtt::net {

/// A call without arguments, in half of the room that a std::function takes: thousands of connections have
/// several, and most know no more than their owner, as `[this] { step(); }`. What is larger stands on the
/// heap. Copies share it: one of them can be called while who the call belongs to ends.
class SmallCall {
 public:
  template <std::invocable Call>
    requires(!std::same_as<Call, SmallCall>)
  SmallCall(Call call) {  // NOLINT(google-explicit-constructor): any lambda is one
    if constexpr (sizeof(Call) <= sizeof room_ && std::is_trivially_copyable_v<Call>) {
      new (room_) Call{call};
      act_ = &act_here<Call>;
    } else {
      new (room_) Shared<Call>* {new Shared<Call>{std::move(call)}};
      act_ = &act_there<Call>;
    }
  }
  SmallCall(const SmallCall& other) : act_{other.act_} {
    std::memcpy(room_, other.room_, sizeof room_);
    act_(Act::share, room_);
  }
  SmallCall& operator=(const SmallCall&) = delete;
  ~SmallCall() { act_(Act::release, room_); }

  void operator()() const { act_(Act::call, room_); }

 private:
  enum class Act : std::uint8_t { call, share, release };

  template <class Call>
  struct Shared {
    Call call;
    unsigned users = 1;
  };

  template <class Call>
  static void act_here(Act act, std::byte* room) {
    if (act == Act::call) (*std::launder(reinterpret_cast<Call*>(room)))();
  }
  template <class Call>
  static void act_there(Act act, std::byte* room) {
    Shared<Call>* const shared = *std::launder(reinterpret_cast<Shared<Call>**>(room));
    switch (act) {
      case Act::call: return shared->call();
      case Act::share: return void(++shared->users);
      case Act::release:
        if (--shared->users == 0) delete shared;
    }
  }

  void (*act_)(Act, std::byte*);
  alignas(void*) mutable std::byte room_[sizeof(void*)];
};

}  // namespace mqtt::net
