#include "base/task.h"

#include <spdlog/spdlog.h>

#include <array>
#include <new>

namespace sluice {
namespace detail {
// Under AddressSanitizer every frame must be its own allocation, or a use after the end goes unseen.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLUICE_PLAIN_FRAMES 1
#endif
#endif

#ifdef SLUICE_PLAIN_FRAMES
void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
#else
namespace {

constexpr std::size_t granule = 64;
constexpr std::size_t classes = 64;    // frames up to 4 KiB are kept
constexpr std::size_t kept_each = 64;  // bounds what an idle worker holds on to

struct FreeList {
  struct Node {
    Node* next;
  };
  std::array<Node*, classes> heads{};
  std::array<std::size_t, classes> counts{};
  bool alive = true;

  ~FreeList() {
    alive = false;
    for (Node*& head : heads) {
      while (head) ::operator delete(std::exchange(head, head->next));
    }
  }
};

thread_local FreeList free_list;

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = (size + granule - 1) / granule;
  if (index >= classes) return ::operator new(size);
  FreeList& list = free_list;
  if (FreeList::Node* node = list.heads[index]) {
    list.heads[index] = node->next;
    --list.counts[index];
    return node;
  }
  return ::operator new(index* granule);
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t index = (size + granule - 1) / granule;
  FreeList& list = free_list;
  if (index >= classes || !list.alive || list.counts[index] >= kept_each) return ::operator delete(frame);
  auto* node = static_cast<FreeList::Node*>(frame);
  node->next = list.heads[index];
  list.heads[index] = node;
  ++list.counts[index];
}
#endif

}  // namespace detail

namespace {

/// The frame that owns a spawned task: starts at once, destroys itself at its end.
struct Detached {
  struct promise_type {
    static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { detail::free_frame(frame, size); }
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {}
  };
};

Detached run_detached(Task<void> task) {
  try {
    co_await task;
  } catch (const std::exception& error) {
    spdlog::error("task ended by an exception: {}", error.what());
  }
}

}  // namespace

void spawn(Task<void> task) { run_detached(std::move(task)); }

}  // namespace sluice
