#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

/// Lazy coroutines. A `Task<T>` starts when it is awaited, resumes its awaiter by symmetric transfer (no stack growth
/// in long chains) and destroys its frame with the object that holds it. Dropping an unfinished Task cancels it: every
/// awaitable of this project unregisters itself when it is destroyed while waiting.
///
/// Threads: a Task runs on the thread that resumes it; the gateway keeps each on one worker.
/// Keep arguments of a coroutine in named locals, never as temporaries or lambdas inside a `co_await` statement.
namespace sluice {

template <class T = void>
class Task;

namespace detail {

/// Frames are short-lived and of few sizes; a per-thread free list makes creating one cheaper than malloc.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr exception;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct Promise final : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};

template <>
struct Promise<void> final : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() { reset(); }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  bool done() const { return handle_ && handle_.done(); }

  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
      handle.promise().continuation = awaiting;
      return handle;
    }
    T await_resume() const { return handle.promise().take(); }
  };
  /// Runs the task to its end and gives its value. REQUIRES: not awaited before.
  Awaiter operator co_await() const& noexcept { return Awaiter{handle_}; }

  /// Runs until the first suspension without an awaiter; used by `Started` and tests.
  void start() { handle_.resume(); }
  /// REQUIRES: done().
  T take() { return handle_.promise().take(); }
  /// Who is resumed at the end. REQUIRES: started, not done.
  void set_continuation(std::coroutine_handle<> continuation) { handle_.promise().continuation = continuation; }

  /// Destroys the frame; an unfinished task is cancelled.
  void reset() {
    if (handle_) std::exchange(handle_, {}).destroy();
  }

 private:
  Handle handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace detail

/// Runs `task` detached from its caller, up to its first suspension at once; its frame frees itself at the end. An
/// exception that leaves it is logged and swallowed: one broken connection never takes the process down.
void spawn(Task<void> task);

}  // namespace sluice
