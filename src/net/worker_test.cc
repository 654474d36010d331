#include "net/worker.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <thread>

#include "net/running.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;

/// From now on this thread has no epoll_pwait2, as if on an older kernel (ENOSYS) or in an older sandbox (EPERM).
void forbid_fine_waits(int error) {
  std::array<sock_filter, 4> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{code.size(), code.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

Task<void> a_byte_is_noticed() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  Stream left(Socket::adopt(ends[0]), nullptr, ErrorSource::client);
  Stream right(Socket::adopt(ends[1]), nullptr, ErrorSource::client);
  left.set_read_deadline(Clock::now() + std::chrono::seconds(10));
  co_await sleep_for(milliseconds(1));
  std::array<char, 8> buffer{};
  Running<Result<std::size_t>> reading(left.read(buffer));
  EXPECT_TRUE(co_await right.write("x"));
  co_await reading.finished();
  EXPECT_TRUE(reading.take());
}

class WithoutFineWaits : public testing::TestWithParam<int> {};

TEST_P(WithoutFineWaits, TheLoopNoticesAllTheSame) {
  std::thread([] {
    forbid_fine_waits(GetParam());
    run_until_done(a_byte_is_noticed());
  }).join();
}

INSTANTIATE_TEST_SUITE_P(Errors, WithoutFineWaits, testing::Values(ENOSYS, EPERM));

}  // namespace
}  // namespace sluice::net
