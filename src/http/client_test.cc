#include "http/client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/block_pool.h"
#include "http/client_test_support.h"

namespace sluice::http {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using testing::ok;
using testing::read_request;
using testing::read_to_end;
using testing::say;
using testing::ScriptedServer;

struct Counts final : ClientObserver {
  int opened = 0, failed = 0, closed = 0, idle = 0, reused = 0, repeated = 0;
  void connection_opened(std::string_view) override { ++opened; }
  void connection_failed(std::string_view, const Error&) override { ++failed; }
  void connection_closed(std::string_view) override { ++closed; }
  void idle_changed(std::string_view, int change) override { idle += change; }
  void connection_reused(std::string_view) override { ++reused; }
  void request_repeated(std::string_view) override { ++repeated; }
};

/// A body given piece by piece, chunked unless a length is set.
class PiecesBody final : public Body {
 public:
  explicit PiecesBody(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::string_view>> read() override {
    co_await net::sleep_for(milliseconds(1));
    if (next_ == pieces_.size() && failure) co_return tl::unexpected(*failure);
    co_return next_ < pieces_.size() ? std::string_view(pieces_[next_++]) : std::string_view();
  }
  std::optional<std::uint64_t> length() const override { return length_; }
  std::optional<std::uint64_t> length_;
  std::optional<Error> failure;

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

struct Answer {
  int status = 0;
  std::string body;
  std::optional<Error> error;
};

ClientRequest post(std::string_view body) {
  ClientRequest request;
  request.method = "POST";
  request.target = "/v1/x";
  request.body = body;
  return request;
}

const ClientTimeouts usual;

Task<Answer> ask(Client& client, const Endpoint& endpoint, const ClientRequest& request,
                 const ClientTimeouts& timeouts = usual) {
  Answer answer;
  Result<Response> response = co_await client.send(endpoint, request, timeouts);
  if (!response) {
    answer.error = response.error();
    co_return answer;
  }
  answer.status = response->status;
  if (!response->body) co_return answer;
  while (true) {
    const Result<std::string_view> piece = co_await response->body->read();
    if (!piece) answer.error = piece.error();
    if (!piece || piece->empty()) co_return answer;
    answer.body += *piece;
  }
}

/// Answers every request with its body, for as long as the client asks.
Task<void> echo(net::Stream& stream) {
  while (true) {
    const std::string body = co_await read_request(stream);
    if (body.empty()) co_return;
    co_await say(stream, ok(body));
  }
}

/// Reads one request and says `text`, then closes.
ScriptedServer::Script answer_once(std::string text) {
  return [text = std::move(text)](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, text);
    stream.close();
  };
}

/// Answers one request, then reads a second and hangs up on it with `last_words`.
ScriptedServer::Script answer_then_hang_up(std::string last_words) {
  return [last_words = std::move(last_words)](net::Stream& stream) -> Task<void> {
    const std::string body = co_await read_request(stream);
    co_await say(stream, ok(body));
    co_await read_request(stream);
    if (!last_words.empty()) co_await say(stream, last_words);
    stream.close();
  };
}

#define RUN_TEST(suite, name)                                  \
  Task<void> suite##_##name();                                 \
  TEST(suite, name) { net::run_until_done(suite##_##name()); } \
  Task<void> suite##_##name()

RUN_TEST(Client, SendsRequestsOverOneKeptConnection) {
  ScriptedServer server({echo});
  Counts counts;
  Client client(&counts);
  const std::string large(300'000, 'x');
  for (const std::string& body : {"one"s, "two"s, large}) {
    const ClientRequest request = post(body);
    const Answer answer = co_await ask(client, server.endpoint(), request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body == body);
    EXPECT_EQ(client.idle(server.identity()), 1u);
  }
  EXPECT_EQ(server.accepted(), 1u);
  EXPECT_EQ(counts.opened, 1);
  EXPECT_EQ(counts.reused, 2);
  EXPECT_EQ(counts.idle, 1);
  client.retain({});
  EXPECT_EQ(counts.closed, 1);
  EXPECT_EQ(counts.idle, 0);
}

RUN_TEST(Client, WhatFollowsAnAnswerIsNeverTheNextOne) {
  const auto says_too_much = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    // The last read of the answer fills its block: what follows is in the kernel still.
    const std::size_t head = ok(std::string(Block::size(), 'x')).size() - Block::size();
    co_await say(stream, ok(std::string(Block::size() - head, 'x')) + ok("not asked for"));
    co_await echo(stream);
  };
  ScriptedServer server({says_too_much, echo});
  Client client;
  const ClientRequest first = post("one");
  EXPECT_EQ((co_await ask(client, server.endpoint(), first)).status, 200);
  EXPECT_EQ(client.idle(server.identity()), 0u);
  const ClientRequest second = post("two");
  EXPECT_EQ((co_await ask(client, server.endpoint(), second)).body, "two");
}

RUN_TEST(Client, RepeatsARequestOnceIfAKeptConnectionWasDead) {
  ScriptedServer server({answer_then_hang_up(""), echo});
  Counts counts;
  Client client(&counts);
  const ClientRequest first = post("one");
  co_await ask(client, server.endpoint(), first);
  const ClientRequest second = post("two");
  const Answer answer = co_await ask(client, server.endpoint(), second);
  EXPECT_EQ(answer.body, "two");
  EXPECT_EQ(server.accepted(), 2u);
  EXPECT_EQ(counts.repeated, 1);
}

RUN_TEST(Client, NeverRepeatsOnANewConnection) {
  ScriptedServer server({answer_once("")});
  Client client;
  const ClientRequest request = post("one");
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) {
    EXPECT_EQ(answer.error->kind, ErrorKind::closed);
    EXPECT_EQ(answer.error->source, ErrorSource::upstream);
    EXPECT_EQ(answer.error->retryable, Retryable::no);
  }
  EXPECT_EQ(server.accepted(), 1u);
}

RUN_TEST(Client, NeverRepeatsOnceAByteOfTheAnswerCame) {
  ScriptedServer server({answer_then_hang_up("H")});
  Client client;
  const ClientRequest request = post("one");
  co_await ask(client, server.endpoint(), request);
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) EXPECT_EQ(answer.error->kind, ErrorKind::truncated);
  EXPECT_EQ(server.accepted(), 1u);
}

RUN_TEST(Client, NeverRepeatsABodyThatWasPulled) {
  ScriptedServer server({answer_then_hang_up("")});
  Client client;
  const ClientRequest first = post("one");
  co_await ask(client, server.endpoint(), first);
  PiecesBody body({"a", "b"});
  ClientRequest second = post("");
  second.stream = &body;
  const Answer answer = co_await ask(client, server.endpoint(), second);
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) EXPECT_EQ(answer.error->retryable, Retryable::reused_only);
  EXPECT_EQ(server.accepted(), 1u);
}

RUN_TEST(Client, ForgetsConnectionsThatTheServerEnds) {
  ScriptedServer server({answer_once(ok("one"))});
  Counts counts;
  Client client(&counts);
  const ClientRequest request = post("x");
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(answer.body, "one");
  co_await net::sleep_for(milliseconds(20));
  EXPECT_EQ(client.idle(server.identity()), 0u);
  EXPECT_EQ(counts.closed, 1);
}

RUN_TEST(Client, ForgetsConnectionsOnWhichSomethingUnaskedComes) {
  auto chatty = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, ok("one"));
    co_await net::sleep_for(milliseconds(5));
    co_await say(stream, "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
    co_await read_to_end(stream);
  };
  ScriptedServer server({chatty, echo});
  Client client;
  const ClientRequest request = post("two");
  co_await ask(client, server.endpoint(), request);
  co_await net::sleep_for(milliseconds(30));
  EXPECT_EQ(client.idle(server.identity()), 0u);
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(answer.body, "two");
}

RUN_TEST(Client, BytesAfterAnAnswerMakeTheConnectionUseless) {
  ScriptedServer server({answer_once(ok("one") + "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"), echo});
  Client client;
  const ClientRequest request = post("two");
  const Answer first = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(first.body, "one");
  EXPECT_EQ(client.idle(server.identity()), 0u);
  const Answer second = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(second.body, "two");
}

RUN_TEST(Client, DeliversAnAnswerThatComesWhileUploading) {
  auto refuse = [](net::Stream& stream) -> Task<void> {
    std::array<char, 100> some;
    (void)co_await stream.read(some);
    co_await say(stream, "HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nno!\n");
    co_await net::sleep_for(std::chrono::seconds(60));  // and never reads on
  };
  ScriptedServer server({refuse});
  Client client;
  const std::string huge(32 << 20, 'x');
  const ClientRequest request = post(huge);
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "no!\n");
  EXPECT_EQ(client.open(server.identity()), 0u) << "half a request was sent: not to be used again";
}

RUN_TEST(Client, RequestAndAnswerCanFlowAtTheSameTime) {
  auto echo_pieces = [](net::Stream& stream) -> Task<void> {
    std::array<char, 4096> buffer;
    co_await say(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    RequestParser parser;
    while (true) {
      const Result<std::size_t> got = co_await stream.read(buffer);
      if (!got || *got == 0) co_return;
      std::string_view unread(buffer.data(), *got);
      ParseStep::State state = ParseStep::State::head;
      while (state != ParseStep::State::need_more && state != ParseStep::State::end) {
        const Result<ParseStep> step = parser.feed(unread);
        EXPECT_TRUE(step.has_value());
        if (!step) co_return;
        unread.remove_prefix(step->consumed);
        state = step->state;
        if (!step->body.empty()) co_await say(stream, std::string(step->body));
      }
      if (state == ParseStep::State::end) co_return stream.close();
    }
  };
  ScriptedServer server({echo_pieces});
  Client client;
  PiecesBody body({"one ", "two ", "three"});
  ClientRequest request = post("");
  request.stream = &body;
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(answer.body, "one two three");
  EXPECT_FALSE(answer.error.has_value());
}

RUN_TEST(Client, SendsPulledBodiesWithTheirLengthOrChunked) {
  ScriptedServer server({echo});
  Client client;
  for (const bool known : {true, false}) {
    PiecesBody body({"one ", "two"});
    if (known) body.length_ = 7;
    ClientRequest request = post("");
    request.stream = &body;
    const Answer answer = co_await ask(client, server.endpoint(), request);
    EXPECT_EQ(answer.body, "one two");
    EXPECT_EQ(client.idle(server.identity()), 1u);
  }
}

RUN_TEST(Client, AFailedRequestBodyFailsTheCallWithItsOwnError) {
  auto listen = [](net::Stream& stream) -> Task<void> { co_await read_to_end(stream); };
  ScriptedServer server({listen, listen});
  Client client;
  PiecesBody broken({"one"});
  broken.failure = Error{ErrorKind::closed, ErrorSource::client, Retryable::no, "the client went away"};
  ClientRequest request = post("");
  request.stream = &broken;
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) EXPECT_EQ(answer.error->text, "the client went away");

  PiecesBody short_body({"one"});
  short_body.length_ = 5;
  request.stream = &short_body;
  const Answer other = co_await ask(client, server.endpoint(), request);
  EXPECT_TRUE(other.error.has_value());
  if (other.error) EXPECT_EQ(other.error->kind, ErrorKind::internal);
}

RUN_TEST(Client, ABodyThatIsCutIsAnError) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  ScriptedServer server({answer_once(head + "content-length: 10\r\n\r\nhalf"),
                         answer_once(head + "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
                         answer_once(head + "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n"),
                         answer_once(head + "transfer-encoding: chunked\r\n\r\n4\r\nhalf!")});
  Client client;
  const ClientRequest request = post("x");
  for (const ErrorKind kind : {ErrorKind::truncated, ErrorKind::truncated, ErrorKind::truncated, ErrorKind::protocol}) {
    const Answer answer = co_await ask(client, server.endpoint(), request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "half");
    EXPECT_TRUE(answer.error.has_value());
    if (answer.error) EXPECT_EQ(answer.error->kind, kind);
    EXPECT_EQ(client.open(server.identity()), 0u);
  }
}

RUN_TEST(Client, AResetInTheMiddleIsAnError) {
  auto reset = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    co_await net::sleep_for(milliseconds(20));
    stream.abort();
  };
  ScriptedServer server({reset});
  Client client;
  const ClientRequest request = post("x");
  const Answer answer = co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(answer.body, "half");
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) EXPECT_EQ(answer.error->kind, ErrorKind::reset);
}

RUN_TEST(Client, ReadsAnswersThatComeByteByByte) {
  auto slice = [](net::Stream& stream) -> Task<void> {
    const std::string answer =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;x=y\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n";
    for (int i = 0; i < 2; ++i) {
      co_await read_request(stream);
      for (const char c : answer) {
        co_await say(stream, std::string(1, c));
        co_await net::sleep_for(Duration(1));
      }
    }
  };
  ScriptedServer server({slice});
  Client client;
  const ClientRequest request = post("x");
  for (int i = 0; i < 2; ++i) {
    const Answer answer = co_await ask(client, server.endpoint(), request);
    EXPECT_EQ(answer.body, "hello world");
    EXPECT_FALSE(answer.error.has_value());
  }
}

RUN_TEST(Client, ChunksThatComeTogetherAreHandedOnTogether) {
  const auto serve = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream,
                 "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n"
                 "0\r\nx-sum: 1\r\n\r\n");
    co_await read_to_end(stream);
  };
  ScriptedServer server({serve});
  Client client;
  const ClientRequest request = post("x");
  Result<Response> response = co_await client.send(server.endpoint(), request, usual);
  EXPECT_TRUE(response.has_value());
  if (!response) co_return;
  EXPECT_EQ(response->body->length(), std::nullopt);
  EXPECT_EQ(*co_await response->body->read(), "onetwothree");
  EXPECT_EQ(client.idle(server.identity()), 1u) << "the connection is free as soon as the answer is whole";
  EXPECT_EQ(*co_await response->body->read(), "");
  EXPECT_NE(response->body->trailers(), nullptr);
  if (response->body->trailers()) EXPECT_EQ(response->body->trailers()->get("X-Sum"), "1");
}

RUN_TEST(Client, AnswersWithoutBodyHaveNone) {
  auto serve = [](net::Stream& stream) -> Task<void> {
    for (const std::string_view answer :
         {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"}) {
      co_await read_request(stream);
      co_await say(stream, std::string(answer));
    }
    co_await read_to_end(stream);
  };
  ScriptedServer server({serve});
  Client client;
  for (const std::string_view method : {"POST", "GET", "HEAD"}) {
    ClientRequest request = post("");
    request.method = method;
    const Result<Response> response = co_await client.send(server.endpoint(), request, usual);
    EXPECT_TRUE(response.has_value());
    if (response) EXPECT_EQ(response->body, nullptr);
    EXPECT_EQ(client.idle(server.identity()), 1u);
  }
}

RUN_TEST(Client, DroppingABodyClosesItsConnection) {
  bool ended = false;
  auto stream_on = [&ended](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    co_await read_to_end(stream);
    ended = true;
  };
  ScriptedServer server({stream_on});
  Client client;
  const ClientRequest request = post("x");
  Result<Response> response = co_await client.send(server.endpoint(), request, usual);
  EXPECT_EQ(*co_await response->body->read(), "half");
  {
    Task<Result<std::string_view>> reading = response->body->read();
    reading.start();
    co_await net::sleep_for(milliseconds(5));
    EXPECT_FALSE(reading.done());
  }
  response->body.reset();
  EXPECT_EQ(client.open(server.identity()), 0u);
  co_await net::sleep_for(milliseconds(20));
  EXPECT_TRUE(ended);
}

RUN_TEST(Client, EveryWaitHasItsDeadline) {
  auto silent = [](net::Stream& stream) -> Task<void> { co_await read_to_end(stream); };
  auto head_only = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
    co_await read_to_end(stream);
  };
  auto half = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    co_await read_to_end(stream);
  };
  auto drip = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    while (stream.is_open()) {
      co_await say(stream, "x");
      co_await net::sleep_for(milliseconds(10));
    }
  };
  ScriptedServer server({silent, head_only, half, drip, silent});
  Client client;
  const std::string huge(32 << 20, 'x');
  const auto expect_timeout = [](const Answer& answer, std::string_view text) {
    EXPECT_TRUE(answer.error.has_value());
    if (!answer.error) return;
    EXPECT_EQ(answer.error->kind, ErrorKind::timeout);
    EXPECT_EQ(answer.error->source, ErrorSource::upstream);
    EXPECT_EQ(answer.error->text, text);
  };
  const ClientRequest request = post("x");
  const ClientTimeouts first{.first_byte = milliseconds(60)};
  expect_timeout(co_await ask(client, server.endpoint(), request, first), "no answer within 0.06s");
  expect_timeout(co_await ask(client, server.endpoint(), request, first), "no answer within 0.06s");
  const ClientTimeouts between{.between_bytes = milliseconds(60)};
  expect_timeout(co_await ask(client, server.endpoint(), request, between),
                 "the answer stalled: not one byte for 0.06s");
  const ClientTimeouts total{.total = milliseconds(200)};
  expect_timeout(co_await ask(client, server.endpoint(), request, total), "the answer was not complete within 0.2s");
  EXPECT_EQ(client.open(server.identity()), 0u);
}

RUN_TEST(Client, AServerThatTakesNothingIsGivenUp) {
  auto deaf = [](net::Stream&) -> Task<void> { co_await net::sleep_for(std::chrono::seconds(60)); };
  ScriptedServer server({deaf});
  Client client;
  const std::string huge(32 << 20, 'x');
  const ClientRequest request = post(huge);
  const ClientTimeouts stall{.write_stall = milliseconds(100)};
  const Answer answer = co_await ask(client, server.endpoint(), request, stall);
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) EXPECT_EQ(answer.error->text, "the server took not one byte of the request for 0.1s");
}

RUN_TEST(Client, ClosesConnectionsThatAreUnusedForLong) {
  bool ended = false;
  auto serve = [&ended](net::Stream& stream) -> Task<void> {
    co_await echo(stream);
    ended = true;
  };
  ScriptedServer server({serve});
  server.endpoint().idle_timeout = milliseconds(60);
  Client client;
  const ClientRequest request = post("x");
  co_await ask(client, server.endpoint(), request);
  EXPECT_EQ(client.idle(server.identity()), 1u);
  while (client.idle(server.identity()) > 0) co_await net::sleep_for(milliseconds(10));
  while (!ended) co_await net::sleep_for(milliseconds(1));
}

RUN_TEST(Client, BoundsConnections) {
  auto answer_late = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await net::sleep_for(milliseconds(30));
    co_await say(stream, ok("late"));
    co_await read_to_end(stream);
  };
  ScriptedServer server({answer_late, answer_late});
  server.endpoint().max_connections = 2;
  server.endpoint().max_idle = 1;
  Client client;
  const ClientRequest request = post("x");
  Task<Answer> one = ask(client, server.endpoint(), request);
  Task<Answer> two = ask(client, server.endpoint(), request);
  one.start();
  two.start();
  const Answer refused = co_await ask(client, server.endpoint(), request);
  EXPECT_TRUE(refused.error.has_value());
  if (refused.error) {
    EXPECT_EQ(refused.error->kind, ErrorKind::overloaded);
    EXPECT_EQ(refused.error->source, ErrorSource::gateway);
  }
  while (!one.done() || !two.done()) co_await net::sleep_for(milliseconds(5));
  EXPECT_EQ(one.take().body, "late");
  EXPECT_EQ(two.take().body, "late");
  EXPECT_EQ(client.idle(server.identity()), 1u);
  EXPECT_EQ(client.open(server.identity()), 1u);
}

RUN_TEST(Client, AReloadRetiresPoolsButNotTheCallsUnderWay) {
  auto slow = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await net::sleep_for(milliseconds(20));
    co_await say(stream, ok("slow"));
    co_await read_to_end(stream);
  };
  ScriptedServer gone({echo, slow});
  ScriptedServer stays({echo});
  Counts counts;
  Client client(&counts);
  const ClientRequest request = post("x");
  co_await ask(client, stays.endpoint(), request);
  Task<Answer> kept = ask(client, gone.endpoint(), request);
  co_await kept;
  EXPECT_EQ(client.idle(gone.identity()), 1u);
  // The second connection is busy while the first one answers again.
  Task<Answer> first = ask(client, gone.endpoint(), request);
  Task<Answer> second = ask(client, gone.endpoint(), request);
  first.start();
  second.start();
  co_await net::sleep_for(milliseconds(5));
  client.retain({std::string(stays.identity())});
  EXPECT_EQ(client.idle(stays.identity()), 1u);
  while (!second.done()) co_await net::sleep_for(milliseconds(5));
  const Answer answer = second.take();
  EXPECT_EQ(answer.body, "slow") << answer.error.value_or(Error{}).text;
  EXPECT_EQ(client.open(gone.identity()), 0u);
  EXPECT_EQ(counts.closed, 2);
}

RUN_TEST(Client, AnUpgradeGivesTheConnectionOut) {
  auto tunnel = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nearly");
    std::array<char, 16> buffer;
    const Result<std::size_t> got = co_await stream.read(buffer);
    if (got) co_await say(stream, "you said " + std::string(buffer.data(), *got));
  };
  ScriptedServer server({tunnel, tunnel});
  Client client;
  ClientRequest request = post("");
  request.method = "GET";
  request.upgrade = "websocket";
  Result<Response> response = co_await client.send(server.endpoint(), request, usual);
  EXPECT_TRUE(response.has_value());
  if (!response) co_return;
  EXPECT_EQ(response->status, 101);
  EXPECT_EQ(response->fields.get("upgrade"), "websocket");
  EXPECT_NE(response->upgrade, nullptr);
  EXPECT_EQ(response->upgrade->early, "early");
  EXPECT_TRUE(co_await response->upgrade->stream->write("hi"));
  std::array<char, 64> buffer;
  const Result<std::size_t> got = co_await response->upgrade->stream->read(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), *got), "you said hi");

  request.upgrade = "";
  const Answer unasked = co_await ask(client, server.endpoint(), request);
  EXPECT_TRUE(unasked.error.has_value());
  if (unasked.error) EXPECT_EQ(unasked.error->kind, ErrorKind::protocol);
}

RUN_TEST(Client, WhatIsNoHttpIsAProtocolError) {
  ScriptedServer server({answer_once("220 smtp.example ready\r\n\r\n"),
                         answer_once("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n")});
  Client client;
  const ClientRequest request = post("x");
  for (int i = 0; i < 2; ++i) {
    const Answer answer = co_await ask(client, server.endpoint(), request);
    EXPECT_TRUE(answer.error.has_value());
    if (answer.error) EXPECT_EQ(answer.error->kind, ErrorKind::protocol);
  }
  EXPECT_EQ(client.open(server.identity()), 0u);
}

RUN_TEST(Client, ConnectionsThatCannotBeOpenedMayBeTriedElsewhere) {
  Counts counts;
  Client client(&counts);
  Endpoint endpoint;
  {
    ScriptedServer gone({});
    endpoint = gone.endpoint();
  }
  const ClientRequest request = post("x");
  const Answer answer = co_await ask(client, endpoint, request);
  EXPECT_TRUE(answer.error.has_value());
  if (answer.error) {
    EXPECT_EQ(answer.error->kind, ErrorKind::connect);
    EXPECT_EQ(answer.error->retryable, Retryable::yes);
  }
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(client.open(endpoint.identity), 0u);
}

RUN_TEST(Client, BodiesMayOutliveTheClient) {
  auto serve = [](net::Stream& stream) -> Task<void> {
    co_await read_request(stream);
    co_await say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
    co_await net::sleep_for(milliseconds(20));
    co_await say(stream, "more");
    co_await read_to_end(stream);
  };
  ScriptedServer server({serve});
  auto client = std::make_unique<Client>();
  const ClientRequest request = post("x");
  Result<Response> response = co_await client->send(server.endpoint(), request, usual);
  client.reset();
  EXPECT_EQ(*co_await response->body->read(), "half");
  EXPECT_EQ(*co_await response->body->read(), "more");
}

TEST(Endpoint, TellsConnectionsApartByAllThatMatters) {
  const Url url = *parse_url("https://api.example/v1");
  net::ClientTlsOptions options;
  const Endpoint plain = make_endpoint(*parse_url("http://api.example/v1"), nullptr, {}, {});
  EXPECT_EQ(plain.identity, "http://api.example:80");
  EXPECT_EQ(plain.host, "api.example");
  const std::string usual = make_endpoint(url, nullptr, options, {}).identity;
  EXPECT_EQ(make_endpoint(*parse_url("https://API.example:443/v2"), nullptr, options, {}).identity, usual);
  options.verify = false;
  const std::string unverified = make_endpoint(url, nullptr, options, {}).identity;
  EXPECT_NE(unverified, usual);
  const net::Proxy proxy{"proxy.example", 3128, Secret("user:hunter2")};
  const std::string proxied = make_endpoint(url, nullptr, options, proxy).identity;
  EXPECT_NE(proxied, unverified);
  EXPECT_EQ(proxied.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace sluice::http
