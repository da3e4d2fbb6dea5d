#pragma once
#include <memory>

namespace mqtt {

/// A part that most objects of a kind never need: eight bytes until it is made. Looked at before, it is
/// a default T.
template <class T>
class Rare {
 public:
  [[nodiscard]] explicit operator bool() const { return part_ != nullptr; }
  [[nodiscard]] const T& operator*() const { return part_ ? *part_ : none(); }
  [[nodiscard]] const T* operator->() const { return &**this; }
  /// To be changed: there is one from now on.
  [[nodiscard]] T& make() {
    if (!part_) part_ = std::make_unique<T>();
    return *part_;
  }
  void reset() { part_.reset(); }

 private:
  [[nodiscard]] static const T& none() {
    static const T part{};
    return part;
  }

  std::unique_ptr<T> part_;
};

}  // namespace mqtt
