#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "load.h"

namespace sluice::bench {
namespace {

pid_t spawn(char** command, std::int64_t core) {
  const pid_t child = fork();
  if (child != 0) return child;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(core), &cores);
  if (core >= 0) sched_setaffinity(0, sizeof cores, &cores);
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  execvp(command[0], command);
  _exit(127);
}

/// One attempt, blocking: true once the answer is a 200.
bool ask_once(std::uint16_t port, std::string_view text) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::array<char, 4096> answer{};
  bool good = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  good = good && send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  good =
      good && recv(fd, answer.data(), answer.size(), 0) > 12 && std::string_view(answer.data(), 12) == "HTTP/1.1 200";
  close(fd);
  return good;
}

}  // namespace

int run_start(const Options& options, char** command) {
  const auto text = chat_post(chat_request());
  const Nanos began = now();
  const pid_t child = spawn(command, options.get("core", -1));
  bool answered = false;
  while (!answered && now() - began < 10 * second && waitpid(child, nullptr, WNOHANG) == 0) {
    answered = ask_once(options.port(), text);
    if (!answered) usleep(100);
  }
  const Nanos took = now() - began;
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  report({{"milliseconds", static_cast<double>(took) / 1e6}, {"errors", answered ? 0.0 : 1.0}});
  return 0;
}

}  // namespace sluice::bench
