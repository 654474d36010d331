#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <functional>

#include "net/running.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/worker.h"

namespace sluice::http {
namespace {

using std::chrono::milliseconds;

/// A body of pieces that come one by one, each after a pause; may break at its end.
class PiecesBody final : public Body {
 public:
  PiecesBody(std::vector<std::string> pieces, Duration pause, std::optional<Error> end = {})
      : pieces_(std::move(pieces)), pause_(pause), end_(std::move(end)) {}
  Task<Result<std::string_view>> read() override {
    if (pause_ > Duration::zero()) co_await net::sleep_for(pause_);
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (end_) co_return tl::unexpected(*end_);
    co_return std::string_view();
  }

 private:
  std::vector<std::string> pieces_;
  Duration pause_;
  std::optional<Error> end_;
  std::size_t next_ = 0;
};

/// Notes when it goes.
struct Dropped {
  bool* flag;
  explicit Dropped(bool* to_set) : flag(to_set) {}
  Dropped(const Dropped&) = delete;
  Dropped& operator=(const Dropped&) = delete;
  ~Dropped() { *flag = true; }
};

struct TestHandler final : Handler {
  bool dropped = false;
  std::vector<std::string> seen;

  Task<Response> handle(Request& request) override {
    const std::string path(request.head.path());
    seen.push_back(request.head.method + " " + request.head.target);
    if (path == "/echo") {
      const Result<std::string> text = co_await read_all(request.body.get(), 1 << 20);
      co_return text ? make_response(200, "text/plain", *text) : fail(400, text.error());
    }
    if (path == "/wait") {
      const Dropped guard(&dropped);
      co_await net::sleep_for(std::chrono::hours(1));
    }
    Response response = make_response(200, "text/plain", "hello");
    if (path == "/stream")
      response.body = std::make_unique<PiecesBody>(std::vector<std::string>{"one", "two"}, milliseconds(2));
    if (path == "/now")
      response.body = std::make_unique<PiecesBody>(std::vector<std::string>{"one", "two"}, Duration{});
    const Error broken{ErrorKind::closed, ErrorSource::upstream, Retryable::no, "it broke"};
    if (path == "/broken")
      response.body = std::make_unique<PiecesBody>(std::vector<std::string>{"one"}, milliseconds(2), broken);
    if (path == "/stillborn")
      response.body = std::make_unique<PiecesBody>(std::vector<std::string>{}, Duration{}, broken);
    if (path == "/nothing") {
      response.status = 204;
      response.body = nullptr;
    }
    if (path == "/throw") throw std::runtime_error("thrown on purpose");
    co_return response;
  }
  Response fail(int status, const Error& error) override { return make_response(status, "text/plain", error.text); }
};

struct TestObserver final : ServerObserver {
  int open = 0;
  std::vector<std::string> refused, rejected;
  void connection_opened(std::string_view) override { ++open; }
  void connection_closed(std::string_view) override { --open; }
  void connection_refused(std::string_view reason) override { refused.emplace_back(reason); }
  void message_rejected(std::string_view reason) override { rejected.emplace_back(reason); }
};

struct Fixture {
  TestHandler handler;
  TestObserver observer;
  ConnectionGauge gauge;
  std::shared_ptr<ServerSettings> settings = std::make_shared<ServerSettings>();
  std::optional<Server> server;

  std::unique_ptr<net::Stream> connect() {
    if (!server) server.emplace(handler, observer, gauge, settings);
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    server->accept(ends[0], nullptr, "test");
    return std::make_unique<net::Stream>(net::Socket::adopt(ends[1]), nullptr, ErrorSource::client);
  }
};

/// Everything that comes until the server closes, or until `until` has come.
Task<std::string> receive(net::Stream& stream, std::string_view until = {}) {
  std::string text;
  std::array<char, 4096> buffer{};
  stream.set_read_deadline(Clock::now() + std::chrono::seconds(5));
  while (until.empty() || text.find(until) == std::string::npos) {
    const Result<std::size_t> got = co_await stream.read(buffer);
    if (!got) text += "<" + std::string(code_of(got.error().kind)) + ">";
    if (!got || *got == 0) break;
    text.append(buffer.data(), *got);
  }
  co_return text;
}

Task<void> converse(std::string request, std::function<void(const std::string&, Fixture&)> check,
                    std::string until = {}) {
  Fixture fixture;
  std::unique_ptr<net::Stream> client = fixture.connect();
  EXPECT_TRUE(co_await client->write(request));
  const std::string answer = co_await receive(*client, until);
  check(answer, fixture);
  client.reset();
  co_await net::sleep_for(milliseconds(5));
  EXPECT_EQ(fixture.observer.open, 0);
}

/// Lets connections end before what they refer to goes.
Task<void> finish(Fixture& fixture) {
  fixture.server->close_all();
  co_await net::sleep_for(milliseconds(5));
  EXPECT_EQ(fixture.observer.open, 0);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr auto closing = "connection: close\r\n\r\n";

TEST(Server, AnswersAndCloses) {
  net::run_until_done(
      converse("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", [](const std::string& answer, Fixture&) {
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
        EXPECT_TRUE(has(answer, "content-length: 5\r\n")) << answer;
        EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
      }));
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const std::string requests =
      "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabcGET /x HTTP/1.1\r\nhost: a\r\nconnection: "
      "close\r\n\r\n";
  net::run_until_done(converse(requests, [](const std::string& answer, Fixture& fixture) {
    EXPECT_LT(answer.find("\r\n\r\nabc"), answer.find("\r\n\r\nhello")) << answer;
    EXPECT_EQ(fixture.handler.seen, (std::vector<std::string>{"POST /echo", "GET /x"}));
  }));
}

TEST(Server, StreamsChunks) {
  for (const char* path : {"/stream", "/now"}) {
    net::run_until_done(converse(std::string("GET ") + path + " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                                 [](const std::string& answer, Fixture&) {
                                   EXPECT_TRUE(has(answer, "transfer-encoding: chunked\r\n")) << answer;
                                   EXPECT_TRUE(answer.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")) << answer;
                                 }));
  }
}

TEST(Server, AnOldClientGetsNoChunks) {
  net::run_until_done(converse("GET /stream HTTP/1.0\r\n\r\n", [](const std::string& answer, Fixture&) {
    EXPECT_FALSE(has(answer, "chunked")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nonetwo")) << answer;
  }));
}

TEST(Server, ABrokenBodyHasNoProperEnd) {
  net::run_until_done(converse("GET /broken HTTP/1.1\r\nhost: a\r\n\r\n", [](const std::string& answer, Fixture&) {
    EXPECT_TRUE(has(answer, "3\r\none\r\n")) << answer;
    EXPECT_FALSE(has(answer, "0\r\n\r\n")) << answer;
  }));
}

TEST(Server, AFailureBeforeTheFirstByteIsSaidProperly) {
  net::run_until_done(converse("GET /stillborn HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                               [](const std::string& answer, Fixture&) {
                                 EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
                                 EXPECT_TRUE(has(answer, "it broke")) << answer;
                               }));
}

TEST(Server, AnExceptionIsA500) {
  net::run_until_done(converse(
      "GET /throw HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
      [](const std::string& answer, Fixture&) { EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer; }));
}

TEST(Server, HeadAndNoContentHaveNoBody) {
  net::run_until_done(
      converse("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", [](const std::string& answer, Fixture&) {
        EXPECT_TRUE(has(answer, "content-length: 5\r\n")) << answer;
        EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
      }));
  net::run_until_done(converse("GET /nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                               [](const std::string& answer, Fixture&) {
                                 EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 ")) << answer;
                                 EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
                               }));
}

TEST(Server, RefusesNonsenseOnceAndCloses) {
  net::run_until_done(converse(
      "GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
      [](const std::string& answer, Fixture& fixture) {
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
        EXPECT_TRUE(has(answer, "connection: close")) << answer;
        EXPECT_EQ(fixture.observer.rejected, std::vector<std::string>{"obs_fold"});
        EXPECT_TRUE(fixture.handler.seen.empty());
      },
      "folded over"));
}

TEST(Server, SaysContinueBeforeItReads) {
  net::run_until_done(converse(
      "POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n",
      [](const std::string& answer, Fixture&) { EXPECT_EQ(answer, "HTTP/1.1 100 Continue\r\n\r\n"); }, "\r\n\r\n"));
}

TEST(Server, AnUnreadBodyEndsTheConnection) {
  net::run_until_done(converse("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nabc",
                               [](const std::string& answer, Fixture&) {
                                 EXPECT_TRUE(has(answer, "connection: close")) << answer;
                                 EXPECT_TRUE(answer.ends_with("hello")) << answer;
                               }));
}

TEST(Server, CutsBodiesOverALimitWithTheirReason) {
  const std::string body(2 << 20, 'x');
  net::run_until_done(converse(
      "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9000000\r\n\r\n" + body.substr(0, 1000),
      [](const std::string& answer, Fixture&) {
        EXPECT_TRUE(has(answer, "larger than the limit of 1048576 bytes")) << answer;
      },
      "1048576 bytes"));
}

Task<void> a_client_that_leaves_cancels() {
  Fixture fixture;
  std::unique_ptr<net::Stream> client = fixture.connect();
  EXPECT_TRUE(co_await client->write("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n"));
  co_await net::sleep_for(milliseconds(10));
  EXPECT_FALSE(fixture.handler.dropped);
  client.reset();
  co_await net::sleep_for(milliseconds(10));
  EXPECT_TRUE(fixture.handler.dropped);
  EXPECT_EQ(fixture.observer.open, 0);
  co_await finish(fixture);
}

TEST(Server, AClientThatLeavesCancelsItsExchange) { net::run_until_done(a_client_that_leaves_cancels()); }

Task<void> drain_closes_the_idle_ones() {
  Fixture fixture;
  std::unique_ptr<net::Stream> idle = fixture.connect();
  std::unique_ptr<net::Stream> busy = fixture.connect();
  EXPECT_TRUE(co_await busy->write("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n"));
  co_await net::sleep_for(milliseconds(1));
  bool empty = false;
  fixture.server->on_empty([&empty] { empty = true; });
  fixture.server->drain();
  const std::string nothing = co_await receive(*idle);
  EXPECT_EQ(nothing, "");
  const std::string answer = co_await receive(*busy);
  EXPECT_TRUE(answer.ends_with("0\r\n\r\n")) << answer;
  co_await net::sleep_for(milliseconds(5));
  EXPECT_TRUE(empty);
  co_await finish(fixture);
}

TEST(Server, DrainLetsStreamsFinish) { net::run_until_done(drain_closes_the_idle_ones()); }

Task<void> limits_connections() {
  Fixture fixture;
  fixture.settings->limits.max_connections = 1;
  std::unique_ptr<net::Stream> first = fixture.connect();
  std::unique_ptr<net::Stream> second = fixture.connect();
  const std::string answer = co_await receive(*second);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_EQ(fixture.observer.refused, std::vector<std::string>{"max_connections"});
  first.reset();
  co_await net::sleep_for(milliseconds(5));
  EXPECT_EQ(fixture.gauge.count(), 0u);
  co_await finish(fixture);
}

TEST(Server, LimitsConnections) { net::run_until_done(limits_connections()); }

Task<void> slow_header_is_told() {
  Fixture fixture;
  fixture.settings->limits.header_timeout = milliseconds(60);
  std::unique_ptr<net::Stream> client = fixture.connect();
  EXPECT_TRUE(co_await client->write("GET / HTTP/1.1\r\nhost"));
  const std::string answer = co_await receive(*client);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_EQ(fixture.observer.rejected, std::vector<std::string>{"slow_header"});
  co_await finish(fixture);
}

TEST(Server, ASlowHeaderIsToldSo) { net::run_until_done(slow_header_is_told()); }

Task<void> slow_body_is_told() {
  Fixture fixture;
  fixture.settings->limits.body_timeout = milliseconds(60);
  fixture.settings->limits.min_body_rate = 0;
  std::unique_ptr<net::Stream> client = fixture.connect();
  EXPECT_TRUE(co_await client->write("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"));
  const std::string answer = co_await receive(*client, "slowly");
  EXPECT_TRUE(has(answer, "the request body came too slowly")) << answer;
  EXPECT_EQ(fixture.observer.rejected, std::vector<std::string>{"slow_body"});
  co_await finish(fixture);
}

TEST(Server, ASlowBodyIsToldSo) { net::run_until_done(slow_body_is_told()); }

Task<void> requests_are_limited() {
  Fixture fixture;
  fixture.settings->limits.max_requests_per_connection = 2;
  std::unique_ptr<net::Stream> client = fixture.connect();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(co_await client->write("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    const std::string answer = co_await receive(*client, "hello");
    EXPECT_EQ(has(answer, closing), i == 1) << answer;
  }
  co_await finish(fixture);
}

Task<void> open_connections_follow_new_settings() {
  Fixture fixture;
  std::unique_ptr<net::Stream> client = fixture.connect();
  const std::string request = "GET / HTTP/1.1\r\nhost: a\r\nx: " + std::string(500, 'x') + "\r\n\r\n";
  EXPECT_TRUE(co_await client->write(request));
  const std::string before = co_await receive(*client, "hello");
  EXPECT_TRUE(before.starts_with("HTTP/1.1 200 ")) << before;
  auto narrower = std::make_shared<ServerSettings>();
  narrower->limits.max_header_bytes = 300;
  fixture.server->set_settings(narrower);
  EXPECT_TRUE(co_await client->write(request));
  const std::string first = co_await receive(*client, "\r\n\r\n");
  EXPECT_TRUE(co_await client->write(request));
  const std::string second = first.starts_with("HTTP/1.1 431 ") ? first : co_await receive(*client);
  EXPECT_TRUE(second.find("HTTP/1.1 431 ") != std::string::npos) << second;
  co_await finish(fixture);
}

TEST(Server, OpenConnectionsFollowNewSettings) { net::run_until_done(open_connections_follow_new_settings()); }

Task<void> a_flood_leaves_others_their_turn() {
  Fixture fixture;
  std::unique_ptr<net::Stream> flooder = fixture.connect();
  std::unique_ptr<net::Stream> other = fixture.connect();
  std::string flood;
  for (int i = 0; i < 300; ++i) flood += "GET /x HTTP/1.1\r\nhost: a\r\n\r\n";
  EXPECT_TRUE(co_await flooder->write(flood));
  EXPECT_TRUE(co_await other->write("GET /other HTTP/1.1\r\nhost: a\r\n\r\n"));
  const std::string answer = co_await receive(*other, "hello");
  EXPECT_LT(fixture.handler.seen.size(), 200u) << "the flood was served to its end first";
  co_await finish(fixture);
}

TEST(Server, AFloodOfPipelinedRequestsLeavesOthersTheirTurn) {
  net::run_until_done(a_flood_leaves_others_their_turn());
}

TEST(Server, LimitsRequestsOfOneConnection) { net::run_until_done(requests_are_limited()); }

}  // namespace
}  // namespace sluice::http
