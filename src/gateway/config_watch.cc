#include "gateway/config_watch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <compare>
#include <filesystem>
#include <set>
#include <system_error>
#include <thread>

namespace sluice {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds quiet_time{100};
constexpr milliseconds longest_wait{1000};
constexpr milliseconds look_anyway{10'000};
constexpr int max_links = 40;  // as the kernel

constexpr std::uint32_t interesting =
    IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;

// What distinguishes one state of a file from another. All zero: not there.
struct Fingerprint {
  std::array<std::int64_t, 7> values{};
  bool operator==(const Fingerprint&) const = default;
};

Fingerprint fingerprint_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {{static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino), status.st_size,
           status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec}};
}

// Every directory in which a change could make `path` mean another file: those that hold a link on the way, and the
// last one.
std::set<std::string> directories_of(const std::string& path) {
  std::set<std::string> result;
  std::error_code ignored;
  fs::path rest = fs::absolute(path, ignored);
  for (int links = 0; links <= max_links; ++links) {
    fs::path here;
    fs::path target;
    for (auto part = rest.begin(); part != rest.end() && target.empty(); ++part) {
      if (fs::is_symlink(fs::symlink_status(here / *part, ignored))) {
        result.insert(here);
        target = here / fs::read_symlink(here / *part, ignored);
        while (++part != rest.end()) target /= *part;
        break;
      }
      here /= *part;
    }
    if (target.empty()) break;
    rest = target;
  }
  result.insert(rest.parent_path());
  return result;
}

class Descriptor {
 public:
  Descriptor(int number, const char* what) : number_(number) {
    if (number < 0) throw std::system_error(errno, std::generic_category(), what);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

class ConfigWatch::Thread {
 public:
  Thread(std::string path, std::function<void()> on_change)
      : path_(std::move(path)),
        on_change_(std::move(on_change)),
        notices_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "cannot watch the configuration"),
        stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "cannot watch the configuration") {
    watch_directories();
    seen_ = fingerprint_of(path_);
    thread_ = std::thread([this] { run(); });
  }

  ~Thread() {
    ::eventfd_write(stop_.number(), 1);
    thread_.join();
  }

 private:
  enum class Woken { notice, time, stop };

  void run() {
    // Signals are for the main thread.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "config-watch");
    while (true) {
      Woken woken = wait(look_anyway);
      if (woken == Woken::notice) woken = wait_until_quiet();
      if (woken == Woken::stop) return;
      look();
    }
  }

  Woken wait_until_quiet() {
    const Clock::time_point end = Clock::now() + longest_wait;
    Woken woken = Woken::notice;
    while (woken == Woken::notice && Clock::now() < end) {
      take_notices();
      woken = wait(quiet_time);
    }
    return woken;
  }

  Woken wait(milliseconds time) {
    std::array<pollfd, 2> wanted{{{stop_.number(), POLLIN, 0}, {notices_.number(), POLLIN, 0}}};
    const int count = ::poll(wanted.data(), wanted.size(), static_cast<int>(time.count()));
    if (count <= 0) return Woken::time;
    return wanted[0].revents != 0 ? Woken::stop : Woken::notice;
  }

  // What they say does not matter: the file itself is looked at.
  void take_notices() {
    std::array<char, 4096> buffer;
    while (::read(notices_.number(), buffer.data(), buffer.size()) > 0) {
    }
  }

  void look() {
    // First the watches, then the look: what changes after it is noticed.
    watch_directories();
    const Fingerprint now = fingerprint_of(path_);
    if (now == seen_) return;
    seen_ = now;
    on_change_();
  }

  // Watching a directory again changes nothing; those that no longer matter, or are gone, are let go.
  void watch_directories() {
    std::set<int> watches;
    for (const std::string& directory : directories_of(path_)) {
      const int watch = ::inotify_add_watch(notices_.number(), directory.c_str(), interesting | IN_ONLYDIR);
      if (watch >= 0) watches.insert(watch);
      if (watch < 0 && errno == ENOSPC) throw_if_starting();
    }
    for (const int old : watches_) {
      if (!watches.contains(old)) ::inotify_rm_watch(notices_.number(), old);
    }
    watches_ = std::move(watches);
  }

  // Later the look every few seconds has to do.
  void throw_if_starting() const {
    if (!thread_.joinable()) throw std::system_error(ENOSPC, std::generic_category(), "cannot watch the configuration");
  }

  std::string path_;
  std::function<void()> on_change_;
  Descriptor notices_;
  Descriptor stop_;
  std::set<int> watches_;
  Fingerprint seen_;
  std::thread thread_;
};

ConfigWatch::ConfigWatch(std::string path, std::function<void()> on_change)
    : thread_(std::make_unique<Thread>(std::move(path), std::move(on_change))) {}
ConfigWatch::~ConfigWatch() = default;

}  // namespace sluice
