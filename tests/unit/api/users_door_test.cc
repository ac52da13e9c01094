// Users at the doors on loopback: who is let in, and who may do what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/base64.h"
#include "node/api/client_guard.h"
#include "node/api/connection.h"
#include "node/api/http_door.h"
#include "node/api/http_guard.h"
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

std::string UsersFile(const std::string& password) {
  return "users:\n- name: app\n  password_hash: " + ToText(HashPassword(password, "salt", 10)) +
         "\n  grants:\n"
         "  - permissions: [riak_kv.get, riak_core.get_bucket]\n    on: {type: default, bucket: b}\n"
         "  - permissions: [riak_kv.put]\n    on: {type: default, bucket: w}\n";
}

class UsersDoorTest : public ::testing::Test {
 protected:
  ~UsersDoorTest() override {
    asio::post(io_, [this] {
      if (listener_) listener_->Stop();
      if (connections_) connections_->CloseAll();
    });
    if (thread_.joinable()) thread_.join();
    if (guard_) guard_->Stop();
  }

  void Write(const std::string& text) { std::ofstream(file_, std::ios::trunc) << text; }
  void Open(TlsMode mode, bool allow_plaintext) {
    Write(UsersFile("sesame"));
    auto guard = ClientGuard::Open(file_, allow_plaintext, &metrics_, Logger());
    ASSERT_TRUE(guard) << guard.error().message;
    guard_ = std::move(*guard);
    if (mode == TlsMode::kOff) return;
    WriteTlsFolder(folder_.path(), authority_.Issue({.hosts = {"127.0.0.1"}}));
    auto tls = TlsKeeper::Open(TlsUse::kClient, mode, folder_.path(), &metrics_, Logger());
    ASSERT_TRUE(tls) << tls.error().message;
    tls_ = std::move(*tls);
  }
  void Serve(ConnectionSet::Serve serve) {
    connections_ = std::make_unique<ConnectionSet>(io_.get_executor(), limits_, &open_, &refused_, std::move(serve));
    listener_ = std::move(Listener::Open(io_.get_executor(), "127.0.0.1", 0).value());
    listener_->Start([this](int descriptor, bool ipv6) { connections_->Adopt(descriptor, ipv6); });
    thread_ = std::thread([this] { io_.run(); });
  }
  void ServeHttpDoor(TlsMode mode, bool allow_plaintext) {
    ASSERT_NO_FATAL_FAILURE(Open(mode, allow_plaintext));
    door_ = std::make_unique<HttpDoor>(Env());
    Serve([this](std::shared_ptr<Connection> connection) {
      const auto answer = [this, connection](HttpRequest request) {
        return door_->AnswerOn(connection, std::move(request));
      };
      return ServeHttp(connection, limits_, answer, tls_.get());
    });
  }
  void ServePbDoor(TlsMode mode, bool allow_plaintext) {
    ASSERT_NO_FATAL_FAILURE(Open(mode, allow_plaintext));
    Serve([this](std::shared_ptr<Connection> connection) { return ServePb(std::move(connection), Env()); });
  }
  DoorEnv Env() { return {&handler_, &random_, &metrics_, limits_, "node-1", tls_.get(), guard_.get(), &scope_}; }
  std::unique_ptr<TlsClient> Connect() { return std::make_unique<TlsClient>("127.0.0.1", listener_->port()); }
  // One request on a connection of its own; the whole answer. `user`: "name:password".
  std::string Ask(const std::string& line, const std::string& user, bool secure = false) {
    const auto client = Connect();
    TlsFiles trusting;
    trusting.authorities = authority_.pem();
    if (secure) EXPECT_TRUE(client->StartTls(trusting));
    const std::string header = user.empty() ? "" : "Authorization: Basic " + Base64Encode(user) + "\r\n";
    EXPECT_TRUE(client->Send(line + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: text/plain\r\n" +
                             header + "Content-Length: 0\r\n\r\n"));
    return client->ReadToEnd();
  }
  std::string Status(const std::string& line, const std::string& user) { return Ask(line, user).substr(9, 3); }
  // Sends a frame and reads what must come back.
  void Expect(TlsClient& client, const std::string& sent, const std::string& answer) {
    ASSERT_TRUE(client.Send(sent));
    EXPECT_EQ(client.Read(answer.size()), answer);
  }
  static std::string AuthFrame(const std::string& user, const std::string& password) {
    riak::AuthReq request;
    request.set_user(user);
    request.set_password(password);
    return EncodePbFrame(PbCode::kAuthReq, request);
  }
  static std::string GetFrame(const std::string& bucket) {
    riak::GetReq request;
    request.set_bucket(bucket);
    request.set_key("k");
    return EncodePbFrame(PbCode::kGetReq, request);
  }
  uint64_t Count(const std::string& what, const char* door) {
    return metrics_.counter("dynamo_auth_" + what + "_total", "", {{"door", door}}).value();
  }

  TestAuthority authority_{"authority"};
  TemporaryFolder folder_;
  TemporaryFolder secret_;
  const std::string file_ = secret_.path() + "/users.yaml";
  Metrics metrics_;
  DoorLimits limits_;
  FakeHandler handler_;
  FixedRandom random_;
  Gauge open_;
  Counter refused_;
  std::unique_ptr<TlsKeeper> tls_;
  std::unique_ptr<ClientGuard> guard_;
  asio::io_context io_{1};
  Scope scope_{io_.get_executor()};
  std::unique_ptr<HttpDoor> door_;
  std::unique_ptr<ConnectionSet> connections_;
  std::unique_ptr<Listener> listener_;
  std::thread thread_;
};

TEST_F(UsersDoorTest, HttpWantsAUserWithTheRightPassword) {
  ServeHttpDoor(TlsMode::kOff, true);
  const std::string answer = Ask("GET /buckets/b/keys/k", "");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Basic realm=\"Riak\""));
  for (const char* user : {"app:", "app:wrong", "nobody:sesame", ":sesame", "app"}) {
    EXPECT_EQ(Status("GET /buckets/b/keys/k", user), "401") << user;
  }
  // As in Riak: also what names no bucket.
  EXPECT_EQ(Status("GET /ping", ""), "401");
  EXPECT_TRUE(handler_.gets.empty());
  EXPECT_EQ(Count("failures", "http"), 7u);
  EXPECT_EQ(Status("GET /ping", "app:sesame"), "200");
  EXPECT_EQ(Status("GET /buckets/b/keys/k", "app:sesame"), "404");
  EXPECT_EQ(Count("denials", "http"), 0u);
}

TEST_F(UsersDoorTest, HttpDeniesWhatIsNotGranted) {
  ServeHttpDoor(TlsMode::kOff, true);
  const std::string answer = Ask("PUT /buckets/b/keys/k", "app:sesame");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(answer, HasSubstr("Permission denied: User 'app' does not have 'riak_kv.put' on default/b"));
  for (const char* line : {"GET /buckets/w/keys/k", "DELETE /buckets/b/keys/k", "GET /types/siblings/buckets/b/keys/k",
                           "POST /buckets/b/keys", "PUT /buckets/b/props", "GET /buckets/w/props", "GET /riak/w/k",
                           "GET /buckets/b/keys?keys=true", "GET /buckets?buckets=true", "GET /types/default/props"}) {
    EXPECT_EQ(Status(line, "app:sesame"), "403") << line;
  }
  EXPECT_TRUE(handler_.gets.empty() && handler_.puts.empty() && handler_.deletes.empty() && handler_.changes.empty());
  EXPECT_EQ(Count("denials", "http"), 11u);
  EXPECT_EQ(Status("PUT /buckets/w/keys/k", "app:sesame"), "204");
  EXPECT_EQ(Status("GET /buckets/b/props", "app:sesame"), "200");
}

TEST_F(UsersDoorTest, HttpInPlaintextIsRefusedWhereThereIsTls) {
  ServeHttpDoor(TlsMode::kOptional, false);
  EXPECT_THAT(Ask("GET /ping", "app:sesame"), StartsWith("HTTP/1.1 426"));
  EXPECT_THAT(Ask("GET /ping", "app:sesame", /*secure=*/true), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("GET /ping", "", /*secure=*/true), StartsWith("HTTP/1.1 401"));
}

TEST_F(UsersDoorTest, ANewFileCountsFromTheNextRequestOn) {
  ServeHttpDoor(TlsMode::kOff, true);
  EXPECT_EQ(Status("GET /ping", "app:sesame"), "200");
  Write(UsersFile("changed"));
  guard_->Look();
  EXPECT_EQ(Status("GET /ping", "app:sesame"), "401");
  EXPECT_EQ(Status("GET /ping", "app:changed"), "200");
}

TEST_F(UsersDoorTest, APasswordThatWasRightIsNotComputedAgain) {
  ServeHttpDoor(TlsMode::kOff, true);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Status("GET /ping", "app:sesame"), "200");
  EXPECT_EQ(guard_->passwords_computed(), 1u);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Status("GET /ping", "app:wrong"), "401");
  EXPECT_EQ(guard_->passwords_computed(), 3u);
}

TEST_F(UsersDoorTest, ProtocolBuffersWantStartTlsThenAUser) {
  ServePbDoor(TlsMode::kOptional, false);
  const auto client = Connect();
  const std::string start_tls = EncodePbFrame(PbCode::kStartTls, "");
  const std::string ping = EncodePbFrame(PbCode::kPingReq, "");
  Expect(*client, ping, EncodePbError("Security is enabled, please STARTTLS first"));
  Expect(*client, AuthFrame("app", "sesame"), EncodePbError("Security is enabled, please STARTTLS first"));
  Expect(*client, start_tls, start_tls);
  TlsFiles trusting;
  trusting.authorities = authority_.pem();
  ASSERT_TRUE(client->StartTls(trusting));
  Expect(*client, ping, EncodePbError("Security is enabled, please authenticate first"));
  Expect(*client, AuthFrame("app", "wrong"), EncodePbError("Authentication failed"));
  Expect(*client, GetFrame("b"), EncodePbError("Security is enabled, please authenticate first"));
  Expect(*client, AuthFrame("app", "sesame"), EncodePbFrame(PbCode::kAuthResp, ""));
  Expect(*client, ping, EncodePbFrame(PbCode::kPingResp, ""));
  EXPECT_EQ(Count("failures", "pb"), 1u);
}

TEST_F(UsersDoorTest, ProtocolBuffersDenyWhatIsNotGrantedAndGoOn) {
  ServePbDoor(TlsMode::kOff, true);
  const auto client = Connect();
  Expect(*client, AuthFrame("app", "sesame"), EncodePbFrame(PbCode::kAuthResp, ""));
  Expect(*client, GetFrame("b"), EncodePbFrame(PbCode::kGetResp, ""));
  const auto denied = [](const char* permission, const char* target) {
    return EncodePbError(std::string("Permission denied: User 'app' does not have '") + permission + "' on " + target);
  };
  Expect(*client, GetFrame("w"), denied("riak_kv.get", "default/w"));
  riak::PutReq put;
  put.set_bucket("b");
  put.set_key("k");
  put.mutable_content()->set_value("v");
  Expect(*client, EncodePbFrame(PbCode::kPutReq, put), denied("riak_kv.put", "default/b"));
  riak::DelReq erase;
  erase.set_bucket("b");
  erase.set_key("k");
  Expect(*client, EncodePbFrame(PbCode::kDelReq, erase), denied("riak_kv.delete", "default/b"));
  riak::GetBucketReq bucket;
  bucket.set_bucket("w");
  Expect(*client, EncodePbFrame(PbCode::kGetBucketReq, bucket), denied("riak_core.get_bucket", "default/w"));
  Expect(*client, EncodePbFrame(PbCode::kResetBucketReq, bucket), denied("riak_core.set_bucket", "default/w"));
  riak::SetBucketReq properties;
  properties.set_bucket("b");
  properties.mutable_props();
  Expect(*client, EncodePbFrame(PbCode::kSetBucketReq, properties), denied("riak_core.set_bucket", "default/b"));
  riak::GetBucketTypeReq type;
  type.set_type("default");
  Expect(*client, EncodePbFrame(PbCode::kGetBucketTypeReq, type), denied("riak_core.get_bucket_type", "default"));
  EXPECT_EQ(Count("denials", "pb"), 7u);
  EXPECT_EQ(handler_.gets.size(), 1u);
  EXPECT_TRUE(handler_.puts.empty() && handler_.deletes.empty() && handler_.changes.empty());
}

TEST_F(UsersDoorTest, AConnectionWhosePasswordChangedHasToAuthenticateAgain) {
  ServePbDoor(TlsMode::kOff, true);
  const auto client = Connect();
  Expect(*client, AuthFrame("app", "sesame"), EncodePbFrame(PbCode::kAuthResp, ""));
  Write(UsersFile("changed"));
  guard_->Look();
  Expect(*client, GetFrame("b"), EncodePbError("Security is enabled, please authenticate first"));
  Expect(*client, AuthFrame("app", "changed"), EncodePbFrame(PbCode::kAuthResp, ""));
  Expect(*client, GetFrame("b"), EncodePbFrame(PbCode::kGetResp, ""));
}

TEST_F(UsersDoorTest, ManyWhoAskAtOnceWaitForOneAnswer) {
  ServePbDoor(TlsMode::kOff, true);
  // Slow enough that all have asked before it is known.
  Write("users: [{name: app, password_hash: " + ToText(HashPassword("slow", "salt", 400'000)) + "}]\n");
  guard_->Look();
  std::vector<std::unique_ptr<TlsClient>> clients;
  clients.reserve(20);
  for (int i = 0; i < 20; ++i) clients.push_back(Connect());
  for (const auto& client : clients) ASSERT_TRUE(client->Send(AuthFrame("app", "slow")));
  const std::string welcome = EncodePbFrame(PbCode::kAuthResp, "");
  for (const auto& client : clients) EXPECT_EQ(client->Read(welcome.size()), welcome);
  EXPECT_LE(guard_->passwords_computed(), 2u);
}

Async<> CheckInto(PasswordChecks* checks, Scope* scope, PasswordHash stored, std::string password, int* overloaded) {
  const auto right = co_await checks->Check(scope, std::move(stored), std::move(password));
  if (!right && right.error().code == Errc::kOverloaded) ++*overloaded;
}

TEST(PasswordChecks, TooManyDifferentPasswordsAtOnceAreRefusedAsOverload) {
  asio::io_context io{1};
  Scope scope(io.get_executor());
  PasswordChecks checks;
  const PasswordHash stored = HashPassword("right", "salt", 5'000);
  int overloaded = 0;
  // More than are found to be wrong while these ask.
  constexpr int kAsked = 4 * static_cast<int>(PasswordChecks::kChecksMax);
  for (int i = 0; i < kAsked; ++i) {
    scope.Spawn(CheckInto(&checks, &scope, stored, "guess " + std::to_string(i), &overloaded));
  }
  while (scope.suspended() > 0 || overloaded + static_cast<int>(checks.computed()) < kAsked)
    io.run_one_for(std::chrono::seconds(1));
  EXPECT_GT(overloaded, 0);
  EXPECT_GE(checks.computed(), PasswordChecks::kChecksMax);
}

TEST(HttpGuard, ReadsBasicCredentialsWithAnyPassword) {
  const auto parsed = ParseBasic("basic " + Base64Encode("u:p:q"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, std::pair(std::string("u"), std::string("p:q")));
  for (const char* wrong : {"", "Basic", "Basic ", "Basic !", "Bearer dTpw", "Basic dQ=="}) {
    EXPECT_FALSE(ParseBasic(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace dynamo
