// The doors over TLS on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "node/api/admin_guard.h"
#include "node/api/connection.h"
#include "node/api/http_door.h"
#include "node/api/listener.h"
#include "node/api/pb_door.h"
#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"
#include "tests/lib/tls/tls_client.h"
#include "tests/unit/api/fake_handler.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kClosingPing[] = "GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

Async<HttpResponse> Guarded(AdminGuard* guard, std::shared_ptr<Connection> connection, HttpRequest request) {
  auto refusal = guard->Refuse(request, connection->stream().is_admin());
  co_return refusal ? std::move(*refusal) : TextResponse(HttpStatus::ok, "done");
}

class TlsDoorTest : public ::testing::Test {
 protected:
  ~TlsDoorTest() override {
    asio::post(io_, [this] {
      if (listener_) listener_->Stop();
      if (connections_) connections_->CloseAll();
    });
    if (thread_.joinable()) thread_.join();
  }

  void Open(TlsUse use, TlsMode mode) {
    WriteTlsFolder(folder_.path(), authority_.Issue({.uris = {"dynamo://demo"}, .hosts = {"127.0.0.1"}}));
    auto opened = TlsKeeper::Open(use, mode, folder_.path(), &metrics_, Logger());
    ASSERT_TRUE(opened) << opened.error().message;
    tls_ = std::move(*opened);
  }
  void Serve(ConnectionSet::Serve serve) {
    connections_ = std::make_unique<ConnectionSet>(io_.get_executor(), limits_, &open_, &refused_, std::move(serve));
    listener_ = std::move(Listener::Open(io_.get_executor(), "127.0.0.1", 0).value());
    listener_->Start([this](int descriptor, bool ipv6) { connections_->Adopt(descriptor, ipv6); });
    thread_ = std::thread([this] { io_.run(); });
  }
  void ServeHttpDoor(TlsMode mode) {
    Open(TlsUse::kClient, mode);
    door_ = std::make_unique<HttpDoor>(Env());
    Serve([this](std::shared_ptr<Connection> connection) {
      return ServeHttp(
          connection, limits_, [this](HttpRequest request) { return door_->Answer(std::move(request)); }, tls_.get());
    });
  }
  void ServePbDoor(TlsMode mode) {
    Open(TlsUse::kClient, mode);
    Serve([this](std::shared_ptr<Connection> connection) { return ServePb(std::move(connection), Env()); });
  }
  DoorEnv Env() { return {&handler_, &random_, nullptr, limits_, "node-1", tls_.get()}; }
  std::unique_ptr<TlsClient> Connect() { return std::make_unique<TlsClient>("127.0.0.1", listener_->port()); }
  TlsFiles Trusting() {
    TlsFiles files;
    files.authorities = authority_.pem();
    return files;
  }
  std::string Frame(PbCode code, std::string_view body = "") { return EncodePbFrame(code, body); }
  // Sends a frame and reads what must come back.
  void Expect(TlsClient& client, const std::string& sent, const std::string& answer) {
    ASSERT_TRUE(client.Send(sent));
    EXPECT_EQ(client.Read(answer.size()), answer);
  }
  uint64_t Refused(const char* reason) {
    return metrics_
        .counter("dynamo_tls_refused_total", "", {{"use", std::string(TlsUseName(tls_->use()))}, {"reason", reason}})
        .value();
  }

  TestAuthority authority_{"authority"};
  TemporaryFolder folder_;
  Metrics metrics_;
  DoorLimits limits_;
  FakeHandler handler_;
  FixedRandom random_;
  Gauge open_;
  Counter refused_;
  std::unique_ptr<TlsKeeper> tls_;
  asio::io_context io_{1};
  std::unique_ptr<HttpDoor> door_;
  std::unique_ptr<ConnectionSet> connections_;
  std::unique_ptr<Listener> listener_;
  std::thread thread_;
};

TEST_F(TlsDoorTest, OnePortTakesHttpAndHttps) {
  ServeHttpDoor(TlsMode::kOptional);
  const auto plain = Connect();
  ASSERT_TRUE(plain->Send(kClosingPing));
  EXPECT_THAT(plain->ReadToEnd(), StartsWith("HTTP/1.1 200"));
  const auto secure = Connect();
  ASSERT_TRUE(secure->StartTls(Trusting()));
  ASSERT_TRUE(secure->Send(kClosingPing));
  EXPECT_THAT(secure->ReadToEnd(), StartsWith("HTTP/1.1 200"));
}

TEST_F(TlsDoorTest, ManyRequestsPassOverOneHttpsConnectionEvenPipelined) {
  ServeHttpDoor(TlsMode::kRequired);
  const auto client = Connect();
  ASSERT_TRUE(client->StartTls(Trusting()));
  const std::string put = "PUT /buckets/b/keys/k HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n";
  const std::string large(100'000, 'v');
  const std::string one = put + "Content-Length: 100000\r\n\r\n" + large;
  ASSERT_TRUE(client->Send(one + one + kClosingPing));
  const std::string all = client->ReadToEnd();
  size_t answers = 0;
  for (size_t at = all.find("HTTP/1.1 20"); at != std::string::npos; at = all.find("HTTP/1.1 20", at + 1)) ++answers;
  EXPECT_EQ(answers, 3u) << all;
}

TEST_F(TlsDoorTest, PlainHttpIsToldToUseHttpsWhereTlsIsRequired) {
  ServeHttpDoor(TlsMode::kRequired);
  const auto client = Connect();
  ASSERT_TRUE(client->Send(kClosingPing));
  const std::string answer = client->ReadToEnd();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("this port takes https only"));
  EXPECT_EQ(Refused("plaintext"), 1u);
}

TEST_F(TlsDoorTest, AHandshakeThatIsNoneIsRefusedAndCounted) {
  ServeHttpDoor(TlsMode::kOptional);
  const auto client = Connect();
  ASSERT_TRUE(client->Send(std::string("\x16\x03\x01\x00\x05hello", 10)));
  client->ReadToEnd();
  EXPECT_EQ(Refused("protocol"), 1u);
}

TEST_F(TlsDoorTest, NewConnectionsSeeTheNewCertificateAndOpenOnesGoOn) {
  ServeHttpDoor(TlsMode::kRequired);
  const auto before = Connect();
  ASSERT_TRUE(before->StartTls(Trusting()));
  const TestAuthority next("next");
  WriteTlsFolder(folder_.path(), next.Issue({.hosts = {"127.0.0.1"}}));
  tls_->Look();
  TlsFiles trusting_next;
  trusting_next.authorities = next.pem();
  const auto after = Connect();
  EXPECT_TRUE(after->StartTls(trusting_next));
  ASSERT_TRUE(before->Send(kClosingPing));
  EXPECT_THAT(before->ReadToEnd(), StartsWith("HTTP/1.1 200"));
}

TEST_F(TlsDoorTest, ProtocolBuffersGoOverToTlsAndAuthenticateAsInRiak) {
  ServePbDoor(TlsMode::kRequired);
  const auto client = Connect();
  Expect(*client, Frame(PbCode::kPingReq), EncodePbError("Security is enabled, please STARTTLS first"));
  Expect(*client, Frame(PbCode::kAuthReq), EncodePbError("Security is enabled, please STARTTLS first"));
  EXPECT_EQ(Refused("plaintext"), 1u);  // Once for the connection.
  Expect(*client, Frame(PbCode::kStartTls), Frame(PbCode::kStartTls));
  ASSERT_TRUE(client->StartTls(Trusting()));
  Expect(*client, Frame(PbCode::kAuthReq, "\x0a\x01u\x12\x01p"), Frame(PbCode::kAuthResp));
  Expect(*client, Frame(PbCode::kPingReq) + Frame(PbCode::kPingReq),
         Frame(PbCode::kPingResp) + Frame(PbCode::kPingResp));
}

TEST_F(TlsDoorTest, WhereTlsIsOptionalProtocolBuffersPassInPlaintextButNoPassword) {
  ServePbDoor(TlsMode::kOptional);
  const auto client = Connect();
  Expect(*client, Frame(PbCode::kPingReq), Frame(PbCode::kPingResp));
  Expect(*client, Frame(PbCode::kAuthReq), EncodePbError("Security is enabled, please STARTTLS first"));
  Expect(*client, Frame(PbCode::kStartTls), Frame(PbCode::kStartTls));
  ASSERT_TRUE(client->StartTls(Trusting()));
  Expect(*client, Frame(PbCode::kPingReq), Frame(PbCode::kPingResp));
}

TEST_F(TlsDoorTest, WhatIsSentRightAfterStartTlsInPlaintextIsNotTakenForSecret) {
  ServePbDoor(TlsMode::kOptional);
  const auto client = Connect();
  ASSERT_TRUE(client->Send(Frame(PbCode::kStartTls) + Frame(PbCode::kPingReq)));
  EXPECT_EQ(client->ReadToEnd(), "");
  EXPECT_EQ(Refused("protocol"), 1u);
}

TEST_F(TlsDoorTest, TheAdminPortWantsATokenOrACertificateButNotForHealth) {
  Open(TlsUse::kAdmin, TlsMode::kOptional);
  TemporaryFolder secrets;
  std::ofstream(secrets.path() + "/token") << "open sesame\n";
  auto guard = AdminGuard::Open(secrets.path() + "/token", &metrics_, Logger());
  ASSERT_TRUE(guard) << guard.error().message;
  Serve([this, &guard](std::shared_ptr<Connection> connection) {
    const auto answer = [&guard, connection](HttpRequest request) {
      return Guarded(guard->get(), connection, std::move(request));
    };
    return ServeHttp(connection, limits_, answer, tls_.get());
  });
  const auto status = [](TlsClient& client, const std::string& target, const std::string& header) {
    EXPECT_TRUE(client.Send("GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + header + "\r\n"));
    return client.ReadToEnd().substr(9, 3);
  };
  EXPECT_EQ(status(*Connect(), "/identity", ""), "401");
  EXPECT_EQ(status(*Connect(), "/identity", "Authorization: Bearer open\r\n"), "401");
  EXPECT_EQ(status(*Connect(), "/identity", "Authorization: Bearer open sesame\r\n"), "200");
  EXPECT_EQ(status(*Connect(), "/metrics?x", ""), "200");
  EXPECT_EQ(status(*Connect(), "/metrics/x", ""), "401");

  const auto admin = Connect();
  ASSERT_TRUE(admin->StartTls(authority_.Issue({.uris = {"dynamo://demo/admin"}})));
  EXPECT_EQ(status(*admin, "/identity", ""), "200");
  const auto stranger = Connect();
  ASSERT_TRUE(stranger->StartTls(Trusting()));
  EXPECT_EQ(status(*stranger, "/identity", ""), "401");
}

TEST(AdminGuardTest, ReadsItsTokenAgainAndKeepsTheOldOneWhereThereIsNone) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/token";
  Metrics metrics;
  EXPECT_FALSE(AdminGuard::Open(file, &metrics, Logger()));
  std::ofstream(file) << " \n";
  EXPECT_FALSE(AdminGuard::Open(file, &metrics, Logger()));
  std::ofstream(file) << "first";
  auto guard = AdminGuard::Open(file, &metrics, Logger());
  ASSERT_TRUE(guard) << guard.error().message;
  const auto lets_in = [&guard](const std::string& token) {
    HttpRequest request(boost::beast::http::verb::get, "/identity", kHttp11);
    request.set(boost::beast::http::field::authorization, "Bearer " + token);
    return !(*guard)->Refuse(request, false);
  };
  EXPECT_TRUE(lets_in("first"));
  EXPECT_FALSE(lets_in(""));
  std::ofstream(file) << "second";
  (*guard)->Look();
  EXPECT_TRUE(lets_in("second"));
  EXPECT_FALSE(lets_in("first"));
  std::ofstream(file, std::ios::trunc).close();
  (*guard)->Look();
  EXPECT_TRUE(lets_in("second"));
}

}  // namespace
}  // namespace dynamo
