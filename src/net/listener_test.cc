#include "net/listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "net/address.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;

/// Takes every descriptor there is below a low bound, until it is destroyed.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{static_cast<rlim_t>(::dup(0)) + 8, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int taken = ::dup(0); taken >= 0; taken = ::dup(0)) taken_.push_back(taken);
  }
  ~NoDescriptors() {
    for (const int taken : taken_) ::close(taken);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

void connect_to(int client, int listening) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
}

Task<void> until(std::function<bool()> condition) {
  for (int turn = 0; turn < 5000 && !condition(); ++turn) co_await sleep_for(milliseconds(1));
  EXPECT_TRUE(condition());
}

Task<void> accepts_who_came_while_descriptors_were_short() {
  const Result<int> listening = Listener::bind("127.0.0.1:0");
  EXPECT_TRUE(listening);
  const int early = ::socket(AF_INET, SOCK_STREAM, 0);
  const int late = ::socket(AF_INET, SOCK_STREAM, 0);
  std::vector<int> accepted;
  int refusals = 0;
  const auto on_accept = [&](int descriptor) { accepted.push_back(descriptor); };
  const auto on_refusal = [&](std::string_view) { ++refusals; };
  const auto is_accepted = [&](std::size_t count) { return [&, count] { return accepted.size() == count; }; };
  const auto is_refused = [&] { return refusals > 0; };
  const Listener listener(*listening, on_accept, on_refusal);
  // All code has run once before: UBSan needs descriptors of its own where it meets a class for the first time.
  connect_to(early, *listening);
  co_await until(is_accepted(1));
  {
    const NoDescriptors none;
    connect_to(late, *listening);
    co_await until(is_refused);
    EXPECT_EQ(accepted.size(), 1u);
  }
  co_await until(is_accepted(2));
  for (const int descriptor : accepted) ::close(descriptor);
  ::close(early);
  ::close(late);
}

TEST(Listener, AcceptsWhoCameWhileDescriptorsWereShort) {
  run_until_done(accepts_who_came_while_descriptors_were_short());
}

}  // namespace
}  // namespace sluice::net
