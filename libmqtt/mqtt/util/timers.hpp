#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include <mqtt/util/time.hpp>

namespace mqtt {

/// Where an object stands in a Timers; part of the object.
struct TimerPlace {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  TimePoint when{};
  std::size_t index = none;

  [[nodiscard]] bool armed() const { return index != none; }
};

/// Objects by when something is due for them: a binary heap, so that exact times for a hundred thousand
/// connections cost little. The objects stay where they are; `Place` is their TimerPlace.
template <class Object, TimerPlace Object::* Place>
class Timers {
 public:
  void set(Object& object, TimePoint when) {
    TimerPlace& place = object.*Place;
    if (!place.armed()) {
      place.index = heap_.size();
      heap_.push_back(&object);
    }
    place.when = when;
    sift_down(sift_up(place.index));
  }
  void set(Object& object, Deadline when) { when ? set(object, *when) : cancel(object); }

  void cancel(Object& object) {
    TimerPlace& place = object.*Place;
    if (!place.armed()) return;
    const std::size_t index = std::exchange(place.index, TimerPlace::none);
    Object* const last = heap_.back();
    heap_.pop_back();
    if (last == &object) return;
    put(index, last);
    sift_down(sift_up(index));
  }

  [[nodiscard]] Deadline next() const {
    return heap_.empty() ? Deadline{} : Deadline{(heap_.front()->*Place).when};
  }
  /// The first object that is due, taken out; null if none is.
  [[nodiscard]] Object* take_due(TimePoint now) {
    if (heap_.empty() || (heap_.front()->*Place).when > now) return nullptr;
    Object* const due = heap_.front();
    cancel(*due);
    return due;
  }

 private:
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const {
    return (heap_[a]->*Place).when < (heap_[b]->*Place).when;
  }
  void put(std::size_t index, Object* object) {
    heap_[index] = object;
    (object->*Place).index = index;
  }
  void swap(std::size_t a, std::size_t b) {
    Object* const was = heap_[a];
    put(a, heap_[b]);
    put(b, was);
  }
  std::size_t sift_up(std::size_t index) {
    for (; index > 0 && before(index, (index - 1) / 2); index = (index - 1) / 2) swap(index, (index - 1) / 2);
    return index;
  }
  void sift_down(std::size_t index) {
    while (true) {
      std::size_t first = index;
      for (const std::size_t child : {2 * index + 1, 2 * index + 2})
        if (child < heap_.size() && before(child, first)) first = child;
      if (first == index) return;
      swap(index, first);
      index = first;
    }
  }

  std::vector<Object*> heap_;
};

}  // namespace mqtt
