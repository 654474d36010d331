#include "telemetry/access_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "telemetry/metrics.h"

namespace sluice::telemetry {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TimePoint soon() { return Clock::now() + std::chrono::seconds(20); }

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    std::string pattern = testing::TempDir() + "access_log_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/access.log";
  }
  ~AccessLogTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string path_;
  Metrics metrics_{"1"};
};

TEST_F(AccessLogTest, AppendsLinesInTheirOrder) {
  std::ofstream(path_) << "old\n";
  AccessLog log(path_, metrics_);
  EXPECT_TRUE(log.enabled());
  EXPECT_TRUE(log.write("one\n"));
  EXPECT_TRUE(log.write("two\n"));
  EXPECT_TRUE(log.flush(soon()));
  EXPECT_EQ(text_of(path_), "old\none\ntwo\n");
}

TEST_F(AccessLogTest, WritesWhatIsLeftAtItsEnd) {
  {
    AccessLog log(path_, metrics_);
    for (int i = 0; i < 1000; ++i) log.write("line\n");
  }
  EXPECT_EQ(text_of(path_).size(), 5000u);
}

TEST_F(AccessLogTest, OffWritesNothing) {
  AccessLog log("off", metrics_);
  EXPECT_FALSE(log.enabled());
  EXPECT_TRUE(log.write("one\n"));
  EXPECT_TRUE(log.flush(soon()));
  EXPECT_EQ(log.dropped(), 0u);
}

TEST_F(AccessLogTest, AFileThatCannotBeOpenedIsAnErrorAtStart) {
  try {
    AccessLog log(folder_ + "/none/access.log", metrics_);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("none/access.log cannot be opened: No such file"));
  }
}

TEST_F(AccessLogTest, ReopensAfterTheFileWasMovedAway) {
  AccessLog log(path_, metrics_);
  log.write("before\n");
  ASSERT_TRUE(log.flush(soon()));
  std::filesystem::rename(path_, path_ + ".1");
  log.write("still the old file\n");
  log.reopen();
  ASSERT_TRUE(log.flush(soon()));
  log.write("after\n");
  ASSERT_TRUE(log.flush(soon()));
  EXPECT_EQ(text_of(path_ + ".1"), "before\nstill the old file\n");
  EXPECT_EQ(text_of(path_), "after\n");
}

TEST_F(AccessLogTest, KeepsTheOldFileIfReopeningFails) {
  AccessLog log(path_, metrics_);
  EXPECT_FALSE(log.redirect(folder_));
  log.write("here\n");
  ASSERT_TRUE(log.flush(soon()));
  EXPECT_EQ(text_of(path_), "here\n");
}

TEST_F(AccessLogTest, MayBeSwitchedOffAndOn) {
  AccessLog log(path_, metrics_);
  ASSERT_TRUE(log.redirect("off"));
  log.write("lost on purpose\n");
  ASSERT_TRUE(log.redirect(path_));
  log.write("kept\n");
  ASSERT_TRUE(log.flush(soon()));
  EXPECT_EQ(text_of(path_), "kept\n");
}

TEST_F(AccessLogTest, LosesNothingBetweenThreads) {
  constexpr int threads = 4;
  constexpr int lines = 5000;
  {
    AccessLog log(path_, metrics_);
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&log, t] {
        const std::string line = std::to_string(t) + "\n";
        for (int i = 0; i < lines; ++i) log.write(line);
      });
    }
    for (int i = 0; i < 5; ++i) log.reopen();
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(log.dropped(), 0u);
  }
  EXPECT_EQ(text_of(path_).size(), 2u * threads * lines);
}

/// A reader that does not read, as a stuck terminal or pipe is.
class BlockedReader : public AccessLogTest {
 protected:
  BlockedReader() {
    ::mkfifo(path_.c_str(), 0600);
    reader_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  }
  ~BlockedReader() override { ::close(reader_); }

  void read_all_into(std::string& text) const {
    char piece[4096];
    while (true) {
      const ssize_t size = ::read(reader_, piece, sizeof(piece));
      if (size <= 0) return;
      text.append(piece, static_cast<std::size_t>(size));
    }
  }
  int reader_ = -1;
};

TEST_F(BlockedReader, NeverBlocksTheCallerAndCountsWhatIsDropped) {
  const std::string line = std::string(99, 'x') + "\n";
  constexpr int lines = 20'000;  // 2 MB: more than the pipe and both buffers hold
  AccessLog log(path_, metrics_, 256 * 1024);
  int refused = 0;
  for (int i = 0; i < lines; ++i) refused += log.write(line) ? 0 : 1;
  EXPECT_GT(refused, lines / 2);
  EXPECT_EQ(log.dropped(), static_cast<std::uint64_t>(refused));
  EXPECT_THAT(metrics_.render(), HasSubstr("sluice_access_log_dropped_total " + std::to_string(refused)));

  // Once somebody reads again, all that was taken comes out whole.
  std::string text;
  while (!log.flush(Clock::now() + std::chrono::milliseconds(1))) read_all_into(text);
  read_all_into(text);
  EXPECT_EQ(text.size(), static_cast<std::size_t>(lines - refused) * line.size());
}

TEST_F(BlockedReader, EndsAllTheSame) {
  {
    AccessLog log(path_, metrics_);
    for (int i = 0; i < 10'000; ++i) log.write(std::string(99, 'x') + "\n");
  }
  // 64 KiB fit into the pipe; the rest was given up and counted.
  EXPECT_THAT(metrics_.render(), HasSubstr("sluice_access_log_dropped_total 93"));
}

TEST_F(BlockedReader, AnotherTargetTakesTheLinesOverWhole) {
  AccessLog log(path_, metrics_);
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = std::to_string(i) + std::string(90, 'x') + "\n";
    log.write(line);
    expected += line;
  }
  ASSERT_TRUE(log.redirect(folder_ + "/other.log"));
  ASSERT_TRUE(log.flush(soon()));
  const std::string text = text_of(folder_ + "/other.log");
  EXPECT_THAT(expected, EndsWith(text));
  EXPECT_THAT(text.substr(0, text.find('\n')), testing::MatchesRegex("[0-9]+x{90}"));
}

TEST_F(BlockedReader, AReaderThatHasGoneLosesLinesButStopsNothing) {
  AccessLog log(path_, metrics_);
  ::close(reader_);
  log.write("nobody reads\n");
  EXPECT_TRUE(log.flush(soon()));
  EXPECT_EQ(log.dropped(), 1u);
  reader_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  log.write("somebody does\n");
  EXPECT_TRUE(log.flush(soon()));
  std::string text;
  read_all_into(text);
  EXPECT_EQ(text, "somebody does\n");
}

}  // namespace
}  // namespace sluice::telemetry
