#include "net/timer_wheel.h"

#include <algorithm>

namespace sluice::net {

void TimerWheel::Entry::unlink() {
  if (!linked() || !wheel_) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
  --wheel_->linked_;
}

TimerWheel::TimerWheel(std::function<void()> want_tick) : base_(Clock::now()), want_tick_(std::move(want_tick)) {
  for (Anchor& anchor : anchors_) anchor.next_ = anchor.previous_ = &anchor;
}

TimerWheel::~TimerWheel() {
  for (Anchor& anchor : anchors_) {
    while (anchor.next_ != &anchor) anchor.next_->unlink();
    anchor.next_ = anchor.previous_ = nullptr;
  }
}

std::size_t TimerWheel::slot_of(TimePoint time) const {
  const Duration ahead = std::max(time - base_, Duration::zero());
  const auto ticks = static_cast<std::size_t>((ahead + tick - Duration(1)) / tick);
  return (current_ + std::clamp<std::size_t>(ticks, 1, slots - 1)) % slots;
}

void TimerWheel::link(Entry& entry) {
  if (linked_ == 0) base_ = Clock::now();
  Entry& anchor = anchors_[slot_of(entry.deadline_)];
  entry.wheel_ = this;
  entry.linked_for_ = entry.deadline_;
  entry.next_ = &anchor;
  entry.previous_ = anchor.previous_;
  anchor.previous_->next_ = &entry;
  anchor.previous_ = &entry;
  ++linked_;
}

void TimerWheel::schedule(Entry& entry, TimePoint deadline) {
  entry.deadline_ = deadline;
  if (deadline == never) return entry.unlink();
  if (entry.linked() && deadline >= entry.linked_for_) return;  // looked at again in time
  entry.unlink();
  const bool was_empty = linked_ == 0;
  link(entry);
  if (was_empty) want_tick_();
}

void TimerWheel::fire_slot(std::size_t slot, TimePoint now) {
  // Entries move to a list of their own first: those that are scheduled again may land in this very slot.
  Anchor due;
  due.next_ = due.previous_ = &due;
  Anchor& anchor = anchors_[slot];
  if (anchor.next_ != &anchor) {
    due.next_ = anchor.next_;
    due.previous_ = anchor.previous_;
    due.next_->previous_ = due.previous_->next_ = &due;
    anchor.next_ = anchor.previous_ = &anchor;
  }
  while (due.next_ != &due) {
    Entry& entry = *due.next_;
    entry.unlink();
    if (entry.deadline_ > now) {
      link(entry);
    } else {
      entry.expired();
    }
  }
  due.next_ = due.previous_ = nullptr;
}

bool TimerWheel::advance(TimePoint now) {
  // After a long sleep every slot is passed once at most.
  for (std::size_t passed = 0; base_ + tick <= now && passed < slots; ++passed) {
    base_ += tick;
    current_ = (current_ + 1) % slots;
    fire_slot(current_, now);
  }
  if (base_ + tick <= now) base_ = now;
  return linked_ > 0;
}

}  // namespace sluice::net
