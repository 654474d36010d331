#pragma once

#include <functional>
#include <memory>
#include <string>

namespace sluice {

/// Tells when a file may have changed: written in place, replaced by a rename, or reached through a link that was
/// changed (a Kubernetes ConfigMap swaps its `..data`). Changes that come close together are told once, about 100 ms
/// after the last of them (and after a second at most). Where the file system sends no notices, as over a network, a
/// look every 10 s finds them.
///
/// Construct it before the file is read for the first time, so that no change falls between.
class ConfigWatch {
 public:
  /// `on_change` is called on a thread of the watch's own, also when the file has gone away; it must not destroy the
  /// watch. `path` need not exist yet. Throws std::system_error if the kernel gives no watch at all (too many in use).
  ConfigWatch(std::string path, std::function<void()> on_change);
  /// Waits for an `on_change` that is under way; none comes after.
  ~ConfigWatch();
  ConfigWatch(const ConfigWatch&) = delete;
  ConfigWatch& operator=(const ConfigWatch&) = delete;

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace sluice
