#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace sluice {
namespace {

class ReadFile : public testing::Test {
 protected:
  ~ReadFile() override { std::filesystem::remove(path_); }
  std::string path_ = testing::TempDir() + "read_file_test";
};

TEST_F(ReadFile, GivesTheWholeContent) {
  const std::string text(100'000, 'x');
  std::ofstream(path_) << text;
  EXPECT_EQ(read_file(path_, 100'000).value(), text);
  std::ofstream(path_, std::ios::trunc) << "";
  EXPECT_EQ(read_file(path_, 10).value(), "");
}

TEST_F(ReadFile, ReadsFilesThatDoNotKnowTheirSize) {
  EXPECT_FALSE(read_file("/proc/self/status", 100'000).value().empty());
}

TEST_F(ReadFile, RefusesWhatIsTooLarge) {
  std::ofstream(path_) << "12345678901";
  EXPECT_EQ(read_file(path_, 10).error().text, "it is larger than 10 bytes");
  EXPECT_EQ(read_file("/proc/self/status", 10).error().text, "it is larger than 10 bytes");
}

TEST_F(ReadFile, SaysWhyItCannot) {
  EXPECT_EQ(read_file(path_, 10).error().text, "No such file or directory");
  EXPECT_EQ(read_file("/", 10).error().text, "it is not a regular file");
}

TEST_F(ReadFile, DoesNotWaitForTheWriterOfAPipe) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(read_file(path_, 10).error().text, "it is not a regular file");
}

}  // namespace
}  // namespace sluice
