#include "gateway/config_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

namespace sluice {
namespace {

namespace fs = std::filesystem;

// A directory with a file that is watched, and what the watch has told.
class ConfigWatchTest : public testing::Test {
 protected:
  ConfigWatchTest() {
    std::string pattern = testing::TempDir() + "config_watch_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    write("v0");
  }
  ~ConfigWatchTest() override {
    watch_.reset();
    fs::remove_all(directory_);
  }

  fs::path file() const { return directory_ / "sluice.yaml"; }
  void write(const std::string& text) { write_to(file(), text); }
  static void write_to(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

  void watch() { watch(file()); }
  void watch(const fs::path& path) {
    watch_ = std::make_unique<ConfigWatch>(path, [this, path] {
      std::ifstream stream(path);
      std::string text{std::istreambuf_iterator<char>(stream), {}};
      const std::lock_guard lock(mutex_);
      seen_ = std::move(text);
      ++told_;
      changed_.notify_all();
    });
  }

  // Waits until the watch has told of a state with this text. The bound is for a watch that is broken.
  bool told(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return told_ > 0 && seen_ == text; });
  }

  fs::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string seen_;
  int told_ = 0;
  std::unique_ptr<ConfigWatch> watch_;
};

TEST_F(ConfigWatchTest, TellsOfAPlainWriteAndOfTheNext) {
  watch();
  write("v1");
  EXPECT_TRUE(told("v1"));
  write("v2");
  EXPECT_TRUE(told("v2"));
}

TEST_F(ConfigWatchTest, TellsOfAWriteOfTheSameLength) {
  watch();
  write("v9");
  EXPECT_TRUE(told("v9"));
}

TEST_F(ConfigWatchTest, TellsOfARenameAndThenOfAWriteToTheNewFile) {
  watch();
  write_to(directory_ / "new", "v1");
  fs::rename(directory_ / "new", file());
  EXPECT_TRUE(told("v1"));
  write("v2");
  EXPECT_TRUE(told("v2"));
}

TEST_F(ConfigWatchTest, TellsOfSwapsOfAConfigMap) {
  // As the kubelet lays it out: sluice.yaml -> ..data/sluice.yaml, ..data -> ..1
  const auto publish = [this](const std::string& version, const std::string& text) {
    fs::create_directory(directory_ / (".." + version));
    write_to(directory_ / (".." + version) / "sluice.yaml", text);
    fs::create_symlink(".." + version, directory_ / "..data_tmp");
    fs::rename(directory_ / "..data_tmp", directory_ / "..data");
  };
  fs::remove(file());
  publish("1", "v1");
  fs::create_symlink("..data/sluice.yaml", file());
  watch();
  publish("2", "v2");
  EXPECT_TRUE(told("v2"));
  fs::remove_all(directory_ / "..1");
  publish("3", "v3");
  EXPECT_TRUE(told("v3"));
}

TEST_F(ConfigWatchTest, TellsOfALinkedDirectoryThatIsSwitched) {
  for (const char* release : {"r1", "r2"}) {
    fs::create_directory(directory_ / release);
    write_to(directory_ / release / "c.yaml", release);
  }
  fs::create_symlink("r1", directory_ / "current");
  watch(directory_ / "current" / "c.yaml");
  fs::create_symlink("r2", directory_ / "next");
  fs::rename(directory_ / "next", directory_ / "current");
  EXPECT_TRUE(told("r2"));
}

TEST_F(ConfigWatchTest, TellsOfAFileThatGoesAwayAndComesBack) {
  watch();
  fs::remove(file());
  EXPECT_TRUE(told(""));
  write("v1");
  EXPECT_TRUE(told("v1"));
}

TEST_F(ConfigWatchTest, TellsOfAFileThatIsNotThereYet) {
  fs::remove(file());
  watch();
  write("v1");
  EXPECT_TRUE(told("v1"));
}

TEST_F(ConfigWatchTest, DoesNotTellOfOtherFiles) {
  watch();
  for (int i = 0; i < 20; ++i) write_to(directory_ / "other", std::to_string(i));
  write_to(directory_ / "new", "v1");
  fs::rename(directory_ / "new", file());
  EXPECT_TRUE(told("v1"));
  EXPECT_EQ(told_, 1);
}

TEST_F(ConfigWatchTest, NothingComesAfterItsEnd) {
  watch();
  write("v1");
  watch_.reset();
  const int told_until_then = told_;
  write("v2");
  std::this_thread::yield();
  EXPECT_EQ(told_, told_until_then);
}

}  // namespace
}  // namespace sluice
