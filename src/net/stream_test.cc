#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "net/running.h"
#include "net/socket.h"
#include "net/tls.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;

struct Pair {
  std::unique_ptr<Stream> left, right;
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    left = std::make_unique<Stream>(Socket::adopt(ends[0]), nullptr, ErrorSource::client);
    right = std::make_unique<Stream>(Socket::adopt(ends[1]), nullptr, ErrorSource::upstream);
  }
};

Task<void> expect_read(Stream& stream, std::string_view wanted) {
  std::array<char, 64> buffer{};
  const Result<std::size_t> got = co_await stream.read(buffer);
  EXPECT_TRUE(got.has_value()) << got.error().text;
  if (got) EXPECT_EQ(std::string_view(buffer.data(), *got), wanted);
}

Task<void> write_later(Stream& stream, std::string text) {
  co_await sleep_for(milliseconds(5));
  const Result<void> written = co_await stream.write(text);
  EXPECT_TRUE(written.has_value());
}

Task<void> reads_what_comes_later() {
  Pair pair;
  spawn(write_later(*pair.right, "hello"));
  co_await expect_read(*pair.left, "hello");
}

TEST(Stream, WaitsForBytes) { run_until_done(reads_what_comes_later()); }

Task<void> writes_pieces_in_order() {
  Pair pair;
  const std::array<std::string_view, 3> pieces{"a", "", "bc"};
  EXPECT_TRUE(co_await pair.left->write(pieces));
  co_await expect_read(*pair.right, "abc");
  pair.left->shutdown_send();
  co_await expect_read(*pair.right, "");
  EXPECT_TRUE(pair.right->hung_up());
}

TEST(Stream, WritesPiecesAndHalfCloses) { run_until_done(writes_pieces_in_order()); }

Task<void> read_times_out() {
  Pair pair;
  std::array<char, 8> buffer{};
  pair.left->set_read_deadline(Clock::now() + milliseconds(60));
  const Result<std::size_t> got = co_await pair.left->read(buffer);
  EXPECT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::timeout);
  EXPECT_EQ(got.error().source, ErrorSource::client);
  pair.left->set_read_deadline(never);
  EXPECT_TRUE(co_await pair.right->write("x"));
  co_await expect_read(*pair.left, "x");
}

TEST(Stream, ReadObeysItsDeadlineAndGoesOnAfterwards) { run_until_done(read_times_out()); }

Task<Result<void>> write_much(Stream& stream, std::size_t size) {
  const std::string text(size, 'x');
  co_return co_await stream.write(text);
}

Task<void> slow_reader_stops_the_writer() {
  Pair pair;
  Running<Result<void>> writing(write_much(*pair.left, 8 << 20));
  EXPECT_FALSE(co_await writing.finished(Clock::now() + milliseconds(60)));
  std::size_t total = 0;
  std::string buffer(64 * 1024, '\0');
  while (total < (8u << 20)) {
    const Result<std::size_t> got = co_await pair.right->read(buffer);
    if (!got || *got == 0) break;
    total += *got;
  }
  EXPECT_EQ(total, 8u << 20);
  EXPECT_TRUE(co_await writing.finished());
  EXPECT_TRUE(writing.take());
}

TEST(Stream, SlowReaderHoldsTheWriterBack) { run_until_done(slow_reader_stops_the_writer()); }

Task<void> stalled_write_times_out() {
  Pair pair;
  pair.left->set_write_deadline(Clock::now() + milliseconds(60));
  const Result<void> written = co_await write_much(*pair.left, 8 << 20);
  EXPECT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::timeout);
}

TEST(Stream, StalledWriteTimesOut) { run_until_done(stalled_write_times_out()); }

Task<void> write_after(Duration wait, Stream& stream, std::string text) {
  co_await sleep_for(wait);
  const Result<void> written = co_await stream.write(text);
  EXPECT_TRUE(written.has_value());
}

Task<void> a_deadline_switched_off_between_reads_does_not_pass() {
  Pair pair;
  pair.left->set_read_deadline(Clock::now() + milliseconds(60));
  Running<void> first(write_after(milliseconds(5), *pair.right, "first"));
  co_await expect_read(*pair.left, "first");
  pair.left->set_read_deadline(never);
  Running<void> second(write_after(milliseconds(200), *pair.right, "second"));
  co_await expect_read(*pair.left, "second");
}

TEST(Stream, ADeadlineSwitchedOffBetweenReadsDoesNotPass) {
  run_until_done(a_deadline_switched_off_between_reads_does_not_pass());
}

Task<Result<std::size_t>> read_once(Stream& stream) {
  std::array<char, 8> buffer{};
  co_return co_await stream.read(buffer);
}

Task<void> close_ends_a_waiting_read() {
  Pair pair;
  Running<Result<std::size_t>> reading(read_once(*pair.left));
  pair.left->close();
  EXPECT_TRUE(co_await reading.finished());
  const Result<std::size_t> got = reading.take();
  EXPECT_EQ(got.error().kind, ErrorKind::cancelled);
}

TEST(Stream, CloseEndsAWaitingRead) { run_until_done(close_ends_a_waiting_read()); }

Task<void> dropping_a_read_is_harmless() {
  Pair pair;
  {
    Running<Result<std::size_t>> reading(read_once(*pair.left));
    EXPECT_FALSE(reading.done());
  }
  EXPECT_TRUE(co_await pair.right->write("later"));
  co_await expect_read(*pair.left, "later");
}

TEST(Stream, ADroppedReadLosesNothing) { run_until_done(dropping_a_read_is_harmless()); }

Task<void> watch_tells_of_hang_up() {
  Pair pair;
  Running<void> busy(sleep_for(std::chrono::hours(1)));
  pair.left->watch([&busy] { busy.interrupt(); });
  pair.right.reset();
  EXPECT_FALSE(co_await busy.finished());
  EXPECT_TRUE(pair.left->hung_up());
}

TEST(Stream, WatchTellsThatThePeerHungUp) { run_until_done(watch_tells_of_hang_up()); }

Task<void> unread_bytes_are_no_hang_up() {
  Pair pair;
  EXPECT_TRUE(co_await pair.right->write("next request"));
  EXPECT_FALSE(pair.left->hung_up());
  co_await expect_read(*pair.left, "next request");
}

TEST(Stream, PipelinedBytesAreNoHangUp) { run_until_done(unread_bytes_are_no_hang_up()); }

}  // namespace
}  // namespace sluice::net
