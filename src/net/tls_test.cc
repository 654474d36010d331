#include "net/tls.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "net/test_certificate.h"
#include "net/tls_impl.h"

namespace sluice::net {
namespace {

using Status = IoStep::Status;
using testing::HasSubstr;
using testing::StartsWith;

/// Two ends of a socket pair, each with its TLS session, driven by turns on one thread.
class Link {
 public:
  Link() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0); }
  Link(std::shared_ptr<TlsContext> server_context, std::shared_ptr<TlsContext> client_context,
       const std::string& host = "localhost", std::uint16_t port = 443)
      : Link() {
    server = TlsSession::accept(std::move(server_context), ends_[0]);
    client = TlsSession::connect(std::move(client_context), ends_[1], host, port);
  }
  ~Link() {
    server.reset();
    client.reset();
    for (int& end : ends_) close_end(end);
  }

  /// Steps by turns until both are done or one has failed; then tells the other its peer is gone.
  bool handshake() {
    for (int turn = 0; turn < 20; ++turn) {
      if (!settled(client_outcome)) client_outcome = client->handshake();
      if (!settled(server_outcome)) server_outcome = server->handshake();
      if (settled(client_outcome) && settled(server_outcome)) break;
    }
    return client_outcome.status == Status::done && server_outcome.status == Status::done;
  }

  static bool settled(const IoStep& step) {
    return step.status != Status::want_read && step.status != Status::want_write;
  }
  static void close_end(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
  }
  int& server_end() { return ends_[0]; }
  int& client_end() { return ends_[1]; }

  std::unique_ptr<TlsSession> server, client;
  IoStep server_outcome{Status::want_read}, client_outcome{Status::want_read};

 private:
  std::array<int, 2> ends_{};
};

IoStep read_text(TlsSession& session, std::string& text) {
  std::array<char, 32 * 1024> buffer;
  const IoStep step = session.read(buffer);
  text.assign(buffer.data(), step.bytes);
  return step;
}

void expect_text(TlsSession& from, TlsSession& to, const std::string& text) {
  EXPECT_EQ(from.write(text).bytes, text.size());
  std::string got;
  EXPECT_EQ(read_text(to, got).status, Status::done);
  EXPECT_EQ(got, text);
}

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }

  std::shared_ptr<TlsContext> server(std::vector<Certificate> certificates,
                                     std::vector<std::string> alpn = {"http/1.1"}) {
    auto context = TlsContext::server({std::move(certificates), std::move(alpn)});
    EXPECT_TRUE(context) << context.error().text;
    return *context;
  }
  std::shared_ptr<TlsContext> server() { return server({authority_.issue()}); }
  std::shared_ptr<TlsContext> client(ClientTlsOptions options) {
    if (options.ca_file.empty()) options.ca_file = authority_.ca_file();
    auto context = TlsContext::client(options);
    EXPECT_TRUE(context) << context.error().text;
    return *context;
  }
  std::shared_ptr<TlsContext> client() { return client({}); }

  /// Why a client refuses a server with this certificate.
  std::string refusal(const Certificate& certificate, const std::string& host) {
    Link link(server({certificate}), client(), host);
    EXPECT_FALSE(link.handshake());
    EXPECT_EQ(link.client_outcome.status, Status::failed);
    return link.client_outcome.reason;
  }

  test::Authority authority_;
};

TEST_F(Tls, CarriesBytesBothWays) {
  Link link(server(), client());
  ASSERT_TRUE(link.handshake()) << link.client_outcome.reason << link.server_outcome.reason;
  expect_text(*link.client, *link.server, "question");
  expect_text(*link.server, *link.client, "answer");
  std::string nothing;
  EXPECT_EQ(read_text(*link.client, nothing).status, Status::want_read);
  EXPECT_FALSE(link.client->pending());
  EXPECT_EQ(link.server->server_name(), "localhost");
}

TEST_F(Tls, WritesWhatFitsAndTakesAMovedBuffer) {
  Link link(server(), client());
  ASSERT_TRUE(link.handshake());
  std::string sent(3 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 >> 5);
  std::string got, part;
  std::size_t written = 0;
  bool was_full = false;
  while (written < sent.size()) {
    const std::string moved = sent.substr(written, 64 * 1024);
    const IoStep step = link.server->write(moved);
    if (step.status == Status::done) {
      written += step.bytes;
      continue;
    }
    ASSERT_EQ(step.status, Status::want_write) << step.reason;
    was_full = true;
    while (read_text(*link.client, part).status == Status::done) got += part;
  }
  while (read_text(*link.client, part).status == Status::done) got += part;
  EXPECT_TRUE(was_full);
  EXPECT_EQ(got, sent);
}

TEST_F(Tls, TellsOfBytesWaitingInside) {
  Link link(server(), client());
  ASSERT_TRUE(link.handshake());
  std::string ignored;
  read_text(*link.client, ignored);  // tickets
  link.server->write("one");
  link.server->write("two");
  std::array<char, 2> small{};
  EXPECT_EQ(link.client->read(small).bytes, 2u);
  EXPECT_TRUE(link.client->pending());
  EXPECT_EQ(link.client->read(small).bytes, 1u);
  EXPECT_TRUE(link.client->pending()) << "the second record was read ahead";
  std::string rest;
  read_text(*link.client, rest);
  EXPECT_EQ(rest, "two");
  EXPECT_FALSE(link.client->pending());
}

TEST_F(Tls, TellsAnOrderlyEndFromACut) {
  {
    Link link(server(), client());
    ASSERT_TRUE(link.handshake());
    link.server->write("all");
    link.server->shutdown();
    Link::close_end(link.server_end());
    std::string got;
    EXPECT_EQ(read_text(*link.client, got).status, Status::done);
    EXPECT_EQ(got, "all");
    EXPECT_EQ(read_text(*link.client, got).status, Status::end);
  }
  Link link(server(), client());
  ASSERT_TRUE(link.handshake());
  link.server->write("half");
  Link::close_end(link.server_end());
  std::string got;
  EXPECT_EQ(read_text(*link.client, got).status, Status::done);
  const IoStep cut = read_text(*link.client, got);
  EXPECT_EQ(cut.status, Status::failed);
  EXPECT_EQ(cut.reason, "ended without close_notify");
}

TEST_F(Tls, WritingToAGonePeerFailsQuietly) {
  Link link(server(), client());
  ASSERT_TRUE(link.handshake());
  Link::close_end(link.server_end());
  const IoStep step = link.client->write("anyone there?");
  EXPECT_EQ(step.status, Status::failed);
  EXPECT_EQ(step.reason, "Broken pipe");
  link.client->shutdown();
}

TEST_F(Tls, ChoosesTheCertificateByName) {
  const auto context = server({authority_.issue_for("DNS:default.example"), authority_.issue_for("DNS:a.example"),
                               authority_.issue_for("DNS:*.b.example,DNS:c.example")});
  for (const char* host : {"default.example", "a.example", "A.Example", "a.example.", "x.b.example", "c.example"}) {
    Link link(context, client(), host);
    EXPECT_TRUE(link.handshake()) << host << ": " << link.client_outcome.reason;
  }
  for (const char* host : {"b.example", "x.y.b.example", "other.example"}) {
    Link link(context, client(), host);
    EXPECT_FALSE(link.handshake()) << host;
    EXPECT_EQ(link.client_outcome.reason, "hostname mismatch: the certificate is for default.example");
  }
}

TEST_F(Tls, VerifiesAddresses) {
  for (const char* host : {"127.0.0.1", "::1", "[::1]"}) {
    Link link(server(), client(), host);
    EXPECT_TRUE(link.handshake()) << host << ": " << link.client_outcome.reason;
    EXPECT_EQ(link.server->server_name(), "");
  }
  EXPECT_EQ(refusal(authority_.issue(), "127.0.0.2"), "IP address mismatch: the certificate is for localhost");
}

TEST_F(Tls, RefusesExpiredAndFutureCertificates) {
  EXPECT_THAT(refusal(authority_.issue({.from_seconds = -7200, .to_seconds = -3600}), "localhost"),
              StartsWith("certificate has expired on 20"));
  EXPECT_THAT(refusal(authority_.issue({.from_seconds = 3600, .to_seconds = 7200}), "localhost"),
              StartsWith("certificate is not yet valid before 20"));
}

TEST_F(Tls, RefusesAnUnknownAuthority) {
  test::Authority other("Somebody Else");
  EXPECT_EQ(refusal(other.issue(), "localhost"),
            "unable to get local issuer certificate (issued by \"Somebody Else\")");
  const auto system_store = TlsContext::client({});
  ASSERT_TRUE(system_store);
  Link link(server(), *system_store);
  EXPECT_FALSE(link.handshake());
  EXPECT_THAT(link.client_outcome.reason, HasSubstr("Test Authority"));
  EXPECT_THAT(link.server_outcome.reason, HasSubstr("refused by the peer: unknown ca"));
}

TEST_F(Tls, NamesFromACertificateAreMadeHarmless) {
  const Certificate nasty = authority_.issue_for("DNS:evil\x1b[31m.example");
  EXPECT_EQ(refusal(nasty, "localhost"), "hostname mismatch: the certificate is for evil?[31m.example");
}

TEST_F(Tls, VerificationCanBeSwitchedOff) {
  test::Authority other;
  Link link(server({other.issue()}), client({.verify = false}), "whatever.example");
  EXPECT_TRUE(link.handshake());
}

/// Connects once, with a byte from the server so that the client has read the tickets; whether it was resumed.
bool connect_once(std::shared_ptr<TlsContext> server, std::shared_ptr<TlsContext> client,
                  const std::string& host = "localhost", std::uint16_t port = 443) {
  Link link(std::move(server), std::move(client), host, port);
  EXPECT_TRUE(link.handshake()) << link.client_outcome.reason;
  expect_text(*link.server, *link.client, "x");
  EXPECT_EQ(link.server->resumed(), link.client->resumed());
  return link.client->resumed();
}

TEST_F(Tls, ResumesSessionsOfTheSameServer) {
  const auto at_server = server(), at_client = client();
  EXPECT_FALSE(connect_once(at_server, at_client));
  EXPECT_TRUE(connect_once(at_server, at_client));
  EXPECT_TRUE(connect_once(at_server, at_client));
  EXPECT_FALSE(connect_once(at_server, at_client, "localhost", 8443)) << "another port is another server";
  EXPECT_FALSE(connect_once(at_server, at_client, "127.0.0.1")) << "the certificate is looked at for each name";
  EXPECT_FALSE(connect_once(at_server, client())) << "another context trusts for itself";
}

TEST_F(Tls, ResumesWithTls12) {
  const auto at_server = server(), at_client = client();
  SSL_CTX_set_max_proto_version(at_client->impl().first(), TLS1_2_VERSION);
  EXPECT_FALSE(connect_once(at_server, at_client));
  EXPECT_TRUE(connect_once(at_server, at_client));
}

TEST_F(Tls, ResumesWithACertificateChosenByName) {
  const auto at_server = server({authority_.issue_for("DNS:a.example"), authority_.issue_for("DNS:b.example")});
  const auto at_client = client();
  EXPECT_FALSE(connect_once(at_server, at_client, "b.example"));
  EXPECT_TRUE(connect_once(at_server, at_client, "b.example"));
}

TEST_F(Tls, AServerThatForgotTheTicketGetsAFullHandshake) {
  const auto at_client = client();
  const Certificate certificate = authority_.issue();
  EXPECT_FALSE(connect_once(server({certificate}), at_client));
  EXPECT_FALSE(connect_once(server({certificate}), at_client));
}

TEST_F(Tls, SharesSessionsBetweenThreads) {
  const auto at_server = server(), at_client = client();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) connect_once(at_server, at_client);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(connect_once(at_server, at_client));
}

TEST_F(Tls, TheSessionStoreIsBounded) {
  SessionStore store;
  for (int i = 0; i < 1000; ++i) store.keep(std::to_string(i), SslSession(SSL_SESSION_new()));
  int kept = 0;
  for (int i = 0; i < 1000; ++i) kept += store.find(std::to_string(i)) != nullptr;
  EXPECT_EQ(kept, 256);
}

TEST_F(Tls, AgreesOnAProtocol) {
  Link link(server({authority_.issue()}, {"h2", "http/1.1"}), client({.alpn = {"http/1.1", "h2"}}));
  ASSERT_TRUE(link.handshake());
  EXPECT_EQ(link.client->alpn(), "h2") << "the server's order decides";
  EXPECT_EQ(link.server->alpn(), "h2");

  Link silent(server(), client({.alpn = {}}));
  ASSERT_TRUE(silent.handshake());
  EXPECT_EQ(silent.server->alpn(), "");

  Link apart(server(), client({.alpn = {"h2"}}));
  EXPECT_FALSE(apart.handshake());
  EXPECT_EQ(apart.client_outcome.reason, "refused by the peer: no application protocol");
}

TEST_F(Tls, RefusesOldVersions) {
  const auto old_client = client();
  SSL_CTX* const raw = old_client->impl().first();
  SSL_CTX_set_min_proto_version(raw, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(raw, TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(raw, "ALL:@SECLEVEL=0");
  Link link(server(), old_client);
  EXPECT_FALSE(link.handshake());
  EXPECT_EQ(link.server_outcome.reason, "unsupported protocol");
  EXPECT_EQ(link.client_outcome.reason, "refused by the peer: protocol version");
}

TEST_F(Tls, SaysWhenThePeerSpeaksSomethingElse) {
  Link link(server(), client());
  EXPECT_EQ(::write(link.server_end(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
  link.client_outcome = link.client->handshake();
  EXPECT_EQ(link.client_outcome.reason, "the peer does not speak TLS");

  Link plain(server(), client());
  EXPECT_EQ(::write(plain.client_end(), "GET / HTTP/1.1\r\n\r\n", 18), 18);
  EXPECT_EQ(plain.server->handshake().reason, "http request");
}

TEST_F(Tls, SaysWhenThePeerLeavesInTheHandshake) {
  Link link(server(), client());
  EXPECT_EQ(link.client->handshake().status, Status::want_read);
  std::array<char, 4096> hello;
  EXPECT_GT(::read(link.server_end(), hello.data(), hello.size()), 0);
  Link::close_end(link.server_end());
  EXPECT_EQ(link.client->handshake().reason, "the peer closed the connection");
}

TEST_F(Tls, ShowsAClientCertificate) {
  const auto at_server = server();
  SSL_CTX* const raw = at_server->impl().first();
  SSL_CTX_load_verify_file(raw, authority_.ca_file().c_str());
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  Link with(at_server, client({.client_certificate = authority_.issue_for("DNS:client")}));
  EXPECT_TRUE(with.handshake()) << with.server_outcome.reason;

  Link without(at_server, client());
  without.handshake();
  EXPECT_EQ(without.server_outcome.status, Status::failed);
  std::string nothing;
  EXPECT_EQ(read_text(*without.client, nothing).reason, "refused by the peer: certificate required");
}

std::string server_error(const Certificate& certificate) {
  const auto context = TlsContext::server({{certificate}});
  if (context) return "no error";
  EXPECT_EQ(context.error().kind, ErrorKind::config);
  return context.error().text;
}

TEST_F(Tls, NamesTheFileThatIsWrong) {
  const Certificate good = authority_.issue(), other = authority_.issue();
  const std::string junk = authority_.file("junk.pem");
  std::ofstream(junk) << "junk";
  EXPECT_EQ(server_error({"/nonexistent.pem", good.key_file}),
            "certificate file /nonexistent.pem holds no usable PEM chain: No such file or directory");
  EXPECT_EQ(server_error({junk, good.key_file}),
            "certificate file " + junk + " holds no usable PEM chain: no start line");
  EXPECT_THAT(server_error({good.chain_file, junk}),
              StartsWith("key file " + junk + " holds no usable PEM private key without a passphrase: "));
  EXPECT_EQ(server_error({good.chain_file, other.key_file}),
            "key file " + other.key_file + " does not belong to certificate " + good.chain_file);
  EXPECT_EQ(TlsContext::server({}).error().text, "a TLS listener needs a certificate");
  EXPECT_THAT(TlsContext::client({.ca_file = junk}).error().text,
              StartsWith("CA file " + junk + " holds no usable PEM certificate: "));
}

TEST_F(Tls, AKeyWithAPassphraseIsAnErrorNotAQuestion) {
  const Certificate good = authority_.issue();
  const std::string locked = authority_.file("locked.key");
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  FILE* const file = std::fopen(locked.c_str(), "w");
  PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>("word"), 4, nullptr,
                       nullptr);
  std::fclose(file);
  EVP_PKEY_free(key);
  EXPECT_THAT(server_error({good.chain_file, locked}), HasSubstr("without a passphrase"));
}

}  // namespace
}  // namespace sluice::net
