#include "net/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/dial.h"
#include "net/listener.h"
#include "net/running.h"
#include "net/test_certificate.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

TimePoint soon() { return Clock::now() + seconds(10); }

Task<std::string> read_some(Stream& stream) {
  std::array<char, 4096> buffer{};
  const Result<std::size_t> got = co_await stream.read(buffer);
  co_return got ? std::string(buffer.data(), *got) : "error: " + got.error().text;
}

/// Serves every connection with one coroutine, on the test's own worker.
class Server {
 public:
  using Serve = std::function<Task<void>(int descriptor)>;

  explicit Server(Serve serve, const std::string& address = "127.0.0.1:0")
      : serve_(std::move(serve)), listener_(bind(address), on_accept(), [](auto) {}) {}

  std::uint16_t port() const { return address_.port(); }
  const Address& address() const { return address_; }
  int accepted() const { return static_cast<int>(connections_.size()); }

 private:
  int bind(const std::string& address) {
    const int descriptor = *Listener::bind(address);
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size);
    address_ = *Address::from_system(reinterpret_cast<sockaddr*>(&storage));
    return descriptor;
  }
  Listener::OnAccept on_accept() {
    return [this](int descriptor) { connections_.push_back(std::make_unique<Running<void>>(serve_(descriptor))); };
  }

  Serve serve_;
  Address address_;
  std::vector<std::unique_ptr<Running<void>>> connections_;
  Listener listener_;
};

std::unique_ptr<Stream> stream_of(int descriptor, std::shared_ptr<TlsContext> tls = nullptr) {
  auto session = tls ? TlsSession::accept(std::move(tls), descriptor) : nullptr;
  return std::make_unique<Stream>(Socket::adopt(descriptor), std::move(session), ErrorSource::client);
}

Task<void> echo_on(std::unique_ptr<Stream> stream) {
  if (!co_await stream->handshake()) co_return;
  while (true) {
    const std::string text = co_await read_some(*stream);
    if (text.empty() || text.starts_with("error: ")) co_return;
    co_await stream->write(text);
  }
}

Server::Serve echo(std::shared_ptr<TlsContext> tls = nullptr) {
  return [tls](int descriptor) { return echo_on(stream_of(descriptor, tls)); };
}

Task<void> stay_silent(int descriptor) {
  const std::unique_ptr<Stream> stream = stream_of(descriptor);
  co_await sleep_for(std::chrono::hours(1));
}

Task<void> expect_echo(Stream& stream) {
  const Result<void> written = co_await stream.write("hello");
  EXPECT_TRUE(written);
  EXPECT_EQ(co_await read_some(stream), "hello");
}

/// A port of the loopback address where nobody listens.
std::uint16_t closed_port() {
  const int descriptor = *Listener::bind("127.0.0.1:0");
  const Address address = *Address::parse(Listener::local_address(descriptor));
  ::close(descriptor);
  return address.port();
}

/// A listener whose queue is full: the kernel drops further SYNs, as a firewall would.
class BlackHole {
 public:
  BlackHole() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_ = *Address::parse("127.0.0.1:0");
    EXPECT_EQ(::bind(listening_, address_.data(), address_.size()), 0);
    EXPECT_EQ(::listen(listening_, 0), 0);
    address_ = *Address::parse(Listener::local_address(listening_));
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(filler, address_.data(), address_.size());
    }
  }
  ~BlackHole() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listening_);
  }
  const Address& address() const { return address_; }

 private:
  int listening_;
  Address address_;
  std::array<int, 4> fillers_{};
};

Task<Error> failure_of(const ConnectTarget& target, TimePoint deadline) {
  Result<std::unique_ptr<Stream>> stream = co_await connect(target, deadline);
  EXPECT_FALSE(stream);
  if (stream) co_return Error{};
  EXPECT_EQ(stream.error().source, ErrorSource::upstream);
  EXPECT_EQ(stream.error().retryable, Retryable::yes);
  co_return stream.error();
}

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

class Connect : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }

  std::shared_ptr<TlsContext> server_tls() { return *TlsContext::server({{authority.issue()}}); }
  std::shared_ptr<TlsContext> client_tls() { return *TlsContext::client({.ca_file = authority.ca_file()}); }
  ConnectTarget target(const std::string& host, std::uint16_t port, bool tls = false) {
    ConnectTarget result;
    result.host = host;
    result.port = port;
    if (tls) result.tls = client_tls();
    return result;
  }

  test::Authority authority;
};

#define CONNECT_TEST(name)                                 \
  class Connect_##name : public Connect {                  \
   public:                                                 \
    Task<void> body();                                     \
  };                                                       \
  TEST_F(Connect_##name, name) { run_until_done(body()); } \
  Task<void> Connect_##name::body()

CONNECT_TEST(OpensAPlainConnection) {
  Server server(echo());
  const ConnectTarget wanted = target("127.0.0.1", server.port());
  Result<std::unique_ptr<Stream>> stream = co_await connect(wanted, soon());
  EXPECT_TRUE(stream) << stream.error().text;
  if (!stream) co_return;
  EXPECT_FALSE((*stream)->is_tls());
  co_await expect_echo(**stream);
}

CONNECT_TEST(FindsANameAndItsAddressThatListens) {
  Server server(echo());  // "localhost" may be ::1 first
  const ConnectTarget wanted = target("localhost", server.port());
  Result<std::unique_ptr<Stream>> stream = co_await connect(wanted, soon());
  EXPECT_TRUE(stream) << stream.error().text;
  if (stream) co_await expect_echo(**stream);
}

CONNECT_TEST(LeavesNoDeadlineBehind) {
  Server server(echo(server_tls()));
  const ConnectTarget wanted = target("127.0.0.1", server.port(), true);
  Result<std::unique_ptr<Stream>> stream = co_await connect(wanted, Clock::now() + seconds(1));
  EXPECT_TRUE(stream) << stream.error().text;
  co_await sleep_for(milliseconds(1100));
  if (stream) co_await expect_echo(**stream);
}

CONNECT_TEST(SaysWhoRefused) {
  const ConnectTarget wanted = target("127.0.0.1", closed_port());
  const Error error = co_await failure_of(wanted, soon());
  EXPECT_EQ(error.kind, ErrorKind::connect);
  EXPECT_EQ(error.text, at(wanted.port) + ": cannot connect: 127.0.0.1: Connection refused");
}

CONNECT_TEST(SaysWhichNameIsUnknown) {
  const ConnectTarget wanted = target("sluice-test.invalid", 443);
  const Error error = co_await failure_of(wanted, soon());
  EXPECT_THAT(error.text, StartsWith("sluice-test.invalid:443: "));
  const ConnectTarget evil = target("a\r\nX: y", 443);
  Result<std::unique_ptr<Stream>> stream = co_await connect(evil, soon());
  EXPECT_EQ(stream.error().text, "not a host name");
}

CONNECT_TEST(OpensATlsConnection) {
  Server server(echo(server_tls()));
  ConnectTarget wanted = target("127.0.0.1", server.port(), true);
  wanted.server_name = "localhost";
  for (const bool resumed : {false, true}) {
    Result<std::unique_ptr<Stream>> stream = co_await connect(wanted, soon());
    EXPECT_TRUE(stream) << stream.error().text;
    if (!stream) co_return;
    co_await expect_echo(**stream);
    EXPECT_EQ((*stream)->tls()->alpn(), "http/1.1");
    EXPECT_EQ((*stream)->tls()->resumed(), resumed);
  }
}

CONNECT_TEST(RefusesAWrongName) {
  Server server(echo(server_tls()));
  ConnectTarget wanted = target("127.0.0.1", server.port(), true);
  wanted.server_name = "api.example";
  const Error error = co_await failure_of(wanted, soon());
  EXPECT_EQ(error.kind, ErrorKind::tls);
  EXPECT_EQ(error.text,
            at(server.port()) + ": TLS handshake failed: hostname mismatch: the certificate is for localhost");
}

CONNECT_TEST(TimesOutInTheHandshake) {
  Server server(stay_silent);
  const ConnectTarget wanted = target("127.0.0.1", server.port(), true);
  const Error error = co_await failure_of(wanted, Clock::now() + milliseconds(100));
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_EQ(error.text, at(server.port()) + ": timed out while in the TLS handshake");
}

CONNECT_TEST(TimesOutWhereNobodyAnswers) {
  const BlackHole hole;
  const ConnectTarget wanted = target("127.0.0.1", hole.address().port());
  const Error error = co_await failure_of(wanted, Clock::now() + milliseconds(100));
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_EQ(error.text, at(wanted.port) + ": timed out while connecting");
}

CONNECT_TEST(CanBeGivenUpAtAnyTime) {
  const BlackHole hole;
  Server silent(stay_silent);
  const ConnectTarget nowhere = target("127.0.0.1", hole.address().port());
  const ConnectTarget no_handshake = target("localhost", silent.port(), true);
  {
    Running<Result<std::unique_ptr<Stream>>> first(connect(nowhere, soon()));
    Running<Result<std::unique_ptr<Stream>>> second(connect(no_handshake, soon()));
    EXPECT_FALSE(co_await first.finished(Clock::now() + milliseconds(100)));
    EXPECT_FALSE(second.done());
  }
  co_await sleep_for(milliseconds(100));
}

/// The socket's peer, or the error's text.
Task<std::string> dialled(std::vector<Address> addresses, TimePoint deadline) {
  Result<std::unique_ptr<Socket>> socket = co_await dial(std::move(addresses), deadline);
  if (!socket) co_return socket.error().text;
  const Stream stream(std::move(*socket), nullptr, ErrorSource::upstream);
  co_return stream.peer_address();
}

CONNECT_TEST(TriesTheNextAddressAfterAFailure) {
  Server server(echo(), "127.0.0.2:0");
  const Address closed = *Address::from_literal("127.0.0.1", closed_port());
  const std::vector<Address> addresses{closed, closed, server.address()};
  EXPECT_EQ(co_await dialled(addresses, soon()), "127.0.0.2");
  const std::vector<Address> hopeless{closed, closed};
  EXPECT_EQ(co_await dialled(hopeless, soon()),
            "cannot connect: 127.0.0.1: Connection refused; 127.0.0.1: Connection refused");
}

CONNECT_TEST(TriesTheNextAddressWhileOneIsSilent) {
  const BlackHole hole;
  Server server(echo(), "127.0.0.2:0");
  const Address closed = *Address::from_literal("127.0.0.1", closed_port());
  const std::vector<Address> addresses{hole.address(), closed, server.address()};
  EXPECT_EQ(co_await dialled(addresses, never), "127.0.0.2");
  const std::vector<Address> hopeless{closed, hole.address()};
  EXPECT_EQ(co_await dialled(hopeless, Clock::now() + milliseconds(100)),
            "timed out while connecting (127.0.0.1: Connection refused)");
}

CONNECT_TEST(SetsSocketOptions) {
  Server server(echo());
  Result<std::unique_ptr<Socket>> socket = co_await dial({server.address()}, soon());
  EXPECT_TRUE(socket);
  const std::vector<std::pair<int, int>> options{{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}};
  for (const auto& [level, name] : options) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt((*socket)->descriptor(), level, name, &value, &size), 0);
    EXPECT_EQ(value, 1);
  }
}

TEST(Dial, InterleavesFamilies) {
  const auto address = [](const char* host) { return *Address::from_literal(host, 1); };
  const std::vector<Address> mixed{address("::1"), address("::2"), address("::3"), address("10.0.0.1")};
  const std::vector<Address> wanted{address("::1"), address("10.0.0.1"), address("::2"), address("::3")};
  EXPECT_EQ(interleaved(mixed), wanted);
  EXPECT_EQ(interleaved(std::vector<Address>(50, address("::1"))).size(), 8u);
}

/// A proxy that gives `answer` to whatever it is asked, then is the target itself: an echo, over TLS if told so.
struct FakeProxy {
  std::string answer = "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";
  std::shared_ptr<TlsContext> tls_behind;
  std::string request;
  Server server{[this](int descriptor) { return serve(descriptor); }};

  Task<void> serve(int descriptor) {
    std::unique_ptr<Stream> stream = stream_of(::dup(descriptor));
    std::unique_ptr<Socket> rest = Socket::adopt(descriptor);
    request = co_await read_some(*stream);
    // In two parts, as a network may cut it.
    const std::string first = answer.substr(0, answer.size() / 2), second = answer.substr(answer.size() / 2);
    co_await stream->write(first);
    co_await sleep_for(milliseconds(5));
    co_await stream->write(second);
    stream.reset();
    auto session = tls_behind ? TlsSession::accept(tls_behind, descriptor) : nullptr;
    if (answer.starts_with("HTTP/1.1 200")) {
      stream = std::make_unique<Stream>(std::move(rest), std::move(session), ErrorSource::client);
      co_await echo_on(std::move(stream));
    }
  }
  Proxy proxy() const { return {"127.0.0.1", server.port(), Secret("me:hunter2")}; }
};

CONNECT_TEST(TunnelsThroughAProxy) {
  FakeProxy proxy;
  ConnectTarget wanted = target("api.invalid", 80);
  wanted.proxy = proxy.proxy();
  Result<std::unique_ptr<Stream>> stream = co_await connect(wanted, soon());
  EXPECT_TRUE(stream) << stream.error().text;
  if (!stream) co_return;
  EXPECT_EQ(proxy.request,
            "CONNECT api.invalid:80 HTTP/1.1\r\nHost: api.invalid:80\r\n"
            "Proxy-Authorization: Basic bWU6aHVudGVyMg==\r\n\r\n");
  co_await expect_echo(**stream);
}

CONNECT_TEST(SpeaksTlsThroughAProxy) {
  FakeProxy proxy;
  proxy.tls_behind = server_tls();
  ConnectTarget wanted = target("[::1]", 443, true);
  wanted.proxy = proxy.proxy();
  wanted.proxy->credentials = Secret();
  Result<std::unique_ptr<Stream>> stream = co_await connect(wanted, soon());
  EXPECT_TRUE(stream) << stream.error().text;
  if (!stream) co_return;
  EXPECT_EQ(proxy.request, "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
  co_await expect_echo(**stream);
}

CONNECT_TEST(SaysWhyTheProxyRefused) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"HTTP/1.1 407 Proxy Authentication\x1b Required\r\nContent-Length: 2\r\n\r\nno",
       "the proxy refused the tunnel: 407 Proxy Authentication? Required"},
      {"HTTP/1.0 403\r\n\r\n", "the proxy refused the tunnel: 403"},
      {"SSH-2.0-OpenSSH\r\n\r\n", "the proxy does not speak HTTP"},
      {"HTTP/1.1 20", "the proxy closed the connection"},
      {"HTTP/1.0 200 OK\r\n\r\n<html>", "the proxy's answer is not one to CONNECT"},
      {"HTTP/1.1 999 " + std::string(20000, 'x'), "the proxy's answer is not one to CONNECT"},
  };
  for (const auto& [answer, reason] : table) {
    FakeProxy proxy;
    proxy.answer = answer;
    ConnectTarget wanted = target("api.invalid", 443);
    wanted.proxy = proxy.proxy();
    const Error error = co_await failure_of(wanted, soon());
    EXPECT_EQ(error.kind, ErrorKind::connect);
    EXPECT_EQ(error.text, "api.invalid:443 through proxy " + at(proxy.server.port()) + ": " + reason);
  }
}

CONNECT_TEST(TimesOutWhereTheProxyIsSilent) {
  Server silent(stay_silent);
  ConnectTarget wanted = target("api.invalid", 443);
  wanted.proxy = Proxy{"127.0.0.1", silent.port(), Secret("me:hunter2")};
  const Error error = co_await failure_of(wanted, Clock::now() + milliseconds(100));
  EXPECT_EQ(error.kind, ErrorKind::timeout);
  EXPECT_THAT(error.text, HasSubstr("timed out while waiting for the proxy"));
  EXPECT_THAT(error.text, testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace sluice::net
