#include "net/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <stdexcept>

#include "net/socket.h"

namespace sluice::net {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

struct Signals::State {
  std::unique_ptr<Socket> socket;
  std::function<void(int)> on_signal;
};

void Signals::block(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Signals::Signals(std::initializer_list<int> signals, std::function<void(int)> on_signal)
    : state_(std::make_shared<State>()) {
  const sigset_t set = set_of(signals);
  const int descriptor = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error("signalfd failed");
  state_->socket = Socket::adopt(descriptor);
  state_->on_signal = std::move(on_signal);
  spawn(loop(state_));
}

Signals::~Signals() { state_->socket->close(); }

Task<void> Signals::loop(std::shared_ptr<State> state) {
  while (co_await state->socket->wait(Direction::read) == Readiness::ready) {
    signalfd_siginfo info{};
    while (state->socket->descriptor() >= 0 && ::read(state->socket->descriptor(), &info, sizeof info) == sizeof info) {
      state->on_signal(static_cast<int>(info.ssi_signo));
    }
  }
}

}  // namespace sluice::net
