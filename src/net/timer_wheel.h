#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "base/clock.h"

namespace sluice::net {

/// Coarse deadlines of one worker. Moving a deadline later, which every read and write does, is one store: the entry
/// stays where it is linked and is looked at again when its old time comes.
///
/// Resolution is one tick (50 ms), late rather than early. Not thread-safe. An idle wheel asks for no ticks.
class TimerWheel {
 public:
  static constexpr Duration tick = std::chrono::milliseconds(50);

  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    virtual ~Entry() { unlink(); }
    bool linked() const { return next_ != nullptr; }
    void unlink();

   protected:
    /// The deadline passed. The entry is not linked any more and may be destroyed or scheduled again.
    virtual void expired() = 0;

   private:
    friend class TimerWheel;
    Entry* next_ = nullptr;
    Entry* previous_ = nullptr;
    TimerWheel* wheel_ = nullptr;
    TimePoint deadline_ = never;
    TimePoint linked_for_ = never;
  };

  /// `want_tick` is called whenever the wheel goes from empty to not empty.
  explicit TimerWheel(std::function<void()> want_tick);
  ~TimerWheel();

  /// Sets or moves the entry's deadline; `never` unlinks.
  void schedule(Entry& entry, TimePoint deadline);
  /// Fires what is due at `now`. True while entries are left, that is, while ticks are wanted.
  bool advance(TimePoint now);

 private:
  static constexpr std::size_t slots = 512;  // 25.6 s; what is further away is looked at again then

  struct Anchor final : Entry {
    void expired() override {}
  };

  void link(Entry& entry);
  void fire_slot(std::size_t slot, TimePoint now);
  std::size_t slot_of(TimePoint time) const;

  std::array<Anchor, slots> anchors_;
  std::size_t linked_ = 0;
  std::size_t current_ = 0;  ///< the slot of `base_`
  TimePoint base_;
  std::function<void()> want_tick_;
};

}  // namespace sluice::net
