// The doors over real sockets on loopback: what a hostile or slow client gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "common/base/base64.h"
#include "node/api/connection.h"
#include "node/api/http_door.h"
#include "node/api/listener.h"
#include "node/api/pb_door.h"
#include "tests/unit/api/fake_handler.h"

namespace dynamo {
namespace {

// A blocking client that sees raw bytes.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), port});
    const timeval limit{10, 0};
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  // All of it; false: the server has closed.
  bool Send(std::string_view bytes) {
    return ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Until `size` bytes have come or the server has closed.
  std::string Read(size_t size) {
    std::string out;
    char chunk[4096];
    while (out.size() < size) {
      const ssize_t got = ::recv(socket_.native_handle(), chunk, std::min(sizeof chunk, size - out.size()), 0);
      if (got <= 0) break;
      out.append(chunk, static_cast<size_t>(got));
    }
    return out;
  }
  std::string ReadToEnd() { return Read(SIZE_MAX); }

 private:
  asio::io_context io_;
  asio::ip::tcp::socket socket_;
};

class SocketTest : public testing::Test {
 protected:
  SocketTest() {
    limits_.object_bytes_max = 1000;
    limits_.transfer_timeout = std::chrono::milliseconds(300);
    limits_.connections_max = 4;
  }
  ~SocketTest() override {
    asio::post(io_, [this] {
      if (listener_) listener_->Stop();
      if (connections_) connections_->CloseAll();
    });
    if (thread_.joinable()) thread_.join();
  }

  uint16_t Serve(ConnectionSet::Serve serve) {
    connections_ = std::make_unique<ConnectionSet>(io_.get_executor(), limits_, &open_, &refused_, std::move(serve));
    listener_ = std::move(Listener::Open(io_.get_executor(), "127.0.0.1", 0).value());
    listener_->Start([this](int descriptor, bool ipv6) { connections_->Adopt(descriptor, ipv6); });
    thread_ = std::thread([this] { io_.run(); });
    return listener_->port();
  }
  uint16_t ServeHttpDoor() {
    door_ = std::make_unique<HttpDoor>(Env());
    return Serve([this](std::shared_ptr<Connection> connection) {
      return ServeHttp(connection, limits_, [this, connection](HttpRequest request) {
        return door_->AnswerOn(connection, std::move(request));
      });
    });
  }
  uint16_t ServePbDoor() {
    return Serve([this](std::shared_ptr<Connection> connection) { return ServePb(std::move(connection), Env()); });
  }
  DoorEnv Env() { return {&handler_, &random_, nullptr, limits_, "node-1"}; }

  std::string HttpAnswerTo(uint16_t port, const std::string& bytes) {
    RawClient client(port);
    client.Send(bytes);
    return client.ReadToEnd();
  }

  DoorLimits limits_;
  FakeHandler handler_;
  FixedRandom random_;
  Gauge open_;
  Counter refused_;
  asio::io_context io_{1};
  std::unique_ptr<HttpDoor> door_;
  std::unique_ptr<ConnectionSet> connections_;
  std::unique_ptr<Listener> listener_;
  std::thread thread_;
};

using ::testing::HasSubstr;

constexpr char kPut[] = "PUT /buckets/b/keys/k HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n";

TEST_F(SocketTest, AConnectionServesManyHttpRequests) {
  RawClient client(ServeHttpDoor());
  const std::string ping = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
  client.Send(ping + ping);
  client.Send("GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string all = client.ReadToEnd();
  size_t answers = 0;
  for (size_t at = all.find("200 OK"); at != std::string::npos; at = all.find("200 OK", at + 1)) ++answers;
  EXPECT_EQ(answers, 3u);
}

TEST_F(SocketTest, AHeadHasTheLengthAndNoBody) {
  handler_.get_reply = GetReply{MakeObject({MakeSibling(1, "12345")}), "token", {}};
  const std::string answer =
      HttpAnswerTo(ServeHttpDoor(), "HEAD /buckets/b/keys/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(SocketTest, MalformedHttpIsAnsweredWith400AndClosed) {
  const uint16_t port = ServeHttpDoor();
  const std::string put = kPut;
  for (const std::string& bad :
       {put + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nv\r\n0\r\n\r\n",
        put + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nv", put + "Content-Length: -1\r\n\r\n",
        put + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nv\r\n0\r\n\r\n", std::string("GET /ping HTTP/1.1\nHost: h\n\n"),
        std::string("\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n")}) {
    EXPECT_TRUE(HttpAnswerTo(port, bad).starts_with("HTTP/1.1 400 ")) << bad;
  }
  EXPECT_TRUE(handler_.puts.empty());
}

TEST_F(SocketTest, WhatIsTooLargeIsRefusedBeforeItIsRead) {
  const uint16_t port = ServeHttpDoor();
  const std::string put = kPut;
  // No body follows: the answer comes from the declared length alone.
  EXPECT_TRUE(HttpAnswerTo(port, put + "Content-Length: 99999999999\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(HttpAnswerTo(port, put + "Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + std::string(3000, 'x'))
                  .starts_with("HTTP/1.1 413 "));
  const std::string big_header = "GET /ping HTTP/1.1\r\nX: " + std::string(100'000, 'x');
  EXPECT_TRUE(HttpAnswerTo(port, big_header).starts_with("HTTP/1.1 431 "));
  std::string many_headers = "GET /ping HTTP/1.1\r\n";
  for (int i = 0; i < 10'000; ++i) many_headers += "X-H: some value\r\n";
  EXPECT_TRUE(HttpAnswerTo(port, many_headers + "\r\n").starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(handler_.puts.empty());
}

TEST_F(SocketTest, ARefusalReachesAClientThatSendsAllBeforeItReads) {
  const uint16_t port = ServeHttpDoor();
  const std::string body(4 << 20, 'x');
  RawClient too_long(port);
  // Many clients don't read the answer once a write has failed.
  EXPECT_TRUE(too_long.Send(std::string(kPut) + "Content-Length: 4194304\r\n\r\n" + body));
  EXPECT_TRUE(too_long.ReadToEnd().starts_with("HTTP/1.1 413 "));
  RawClient big_header(port);
  EXPECT_TRUE(big_header.Send("GET /ping HTTP/1.1\r\nX: " + body));
  EXPECT_TRUE(big_header.ReadToEnd().starts_with("HTTP/1.1 431 "));
}

TEST_F(SocketTest, ARefusedClientThatNeverStopsSendingIsClosedAllTheSame) {
  RawClient client(ServeHttpDoor());
  client.Send(std::string(kPut) + "Content-Length: 99999999999\r\n\r\n");
  const std::string chunk(1 << 20, 'x');
  int sent = 0;
  while (sent < 1000 && client.Send(chunk)) ++sent;
  EXPECT_LT(sent, 1000);
}

TEST_F(SocketTest, AClientThatAsksWhetherToGoOnIsTold) {
  RawClient client(ServeHttpDoor());
  client.Send(std::string(kPut) + "Content-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.Read(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("v");
  EXPECT_TRUE(client.ReadToEnd().starts_with("HTTP/1.1 204 "));
}

TEST_F(SocketTest, ASlowRequestIsClosedByItsDeadline) {
  const uint16_t port = ServeHttpDoor();
  EXPECT_EQ(HttpAnswerTo(port, "GET /ping HTTP/1.1\r\nX: "), "");
  EXPECT_EQ(HttpAnswerTo(port, std::string(kPut) + "Content-Length: 10\r\n\r\nhalf"), "");
}

TEST_F(SocketTest, ConnectionsAboveTheLimitAreClosedAtOnce) {
  const uint16_t port = ServeHttpDoor();
  std::vector<std::unique_ptr<RawClient>> idle;
  for (size_t i = 0; i < limits_.connections_max; ++i) {
    idle.push_back(std::make_unique<RawClient>(port));
    idle.back()->Send("GET /ping HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(idle.back()->Read(15).starts_with("HTTP/1.1 200"));
  }
  RawClient refused(port);
  EXPECT_EQ(refused.ReadToEnd(), "");
  EXPECT_EQ(refused_.value(), 1u);
}

TEST_F(SocketTest, PipelinedMessagesAreAnsweredInOrder) {
  RawClient client(ServePbDoor());
  const std::string ping = EncodePbFrame(PbCode::kPingReq, std::string_view());
  const std::string info = EncodePbFrame(PbCode::kGetServerInfoReq, std::string_view());
  // Cut in the middle of a frame, to be put together again.
  const std::string all = ping + info + ping;
  client.Send(all.substr(0, 7));
  client.Send(all.substr(7));
  EXPECT_EQ(client.Read(5), EncodePbFrame(PbCode::kPingResp, std::string_view()));
  EXPECT_EQ(client.Read(5)[4], 8);
}

TEST_F(SocketTest, AnImpossibleLengthIsAnErrorAndTheEnd) {
  const uint16_t port = ServePbDoor();
  for (const std::string& bad : {std::string("\x7f\xff\xff\xff\x09", 5), std::string(5, '\0')}) {
    const std::string answer = HttpAnswerTo(port, bad);
    ASSERT_GT(answer.size(), 5u);
    EXPECT_EQ(answer[4], 0);
  }
}

TEST_F(SocketTest, ALargeMessageWithinTheLimitIsServed) {
  limits_.object_bytes_max = 3u << 20;
  RawClient client(ServePbDoor());
  riak::PutReq request;
  request.set_bucket("b");
  request.set_key("k");
  request.mutable_content()->set_value(std::string(2'500'000, 'x'));
  client.Send(EncodePbFrame(PbCode::kPutReq, request));
  EXPECT_EQ(client.Read(5)[4], 12);
  EXPECT_EQ(handler_.puts.at(0).content.value.size(), 2'500'000u);
}

// A door that answers when it is told to, so that a request can be under way.
TEST_F(SocketTest, ANodeThatPartsAnswersOnceAndSendsTheClientElsewhere) {
  handler_.parting = true;
  RawClient client(ServeHttpDoor());
  const std::string ping = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
  client.Send(ping);
  const std::string answer = client.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(SocketTest, ANodeThatPartsEndsAProtocolBuffersConnectionAfterItsAnswer) {
  handler_.parting = true;
  RawClient client(ServePbDoor());
  client.Send(EncodePbFrame(PbCode::kPingReq, std::string_view()));
  EXPECT_EQ(client.ReadToEnd(), EncodePbFrame(PbCode::kPingResp, std::string_view()));
}

class DrainTest : public SocketTest {
 protected:
  uint16_t ServeHeldAnswers() {
    return Serve([this](std::shared_ptr<Connection> connection) {
      return ServeHttp(std::move(connection), limits_, [this](HttpRequest) { return AnswerWhenTold(); });
    });
  }
  Async<HttpResponse> AnswerWhenTold() {
    begun_.set_value();
    co_await told_.async_wait(asio::as_tuple(kUseAwaitable));
    co_return TextResponse(HttpStatus::ok, "held");
  }
  void Tell() {
    asio::post(io_, [this] { told_.cancel(); });
  }
  void Drain() {
    asio::post(io_, [this] {
      listener_->Stop();
      connections_->Drain([this] { drained_.set_value(); });
    });
  }
  bool IsDrainedWithin(std::chrono::seconds limit) {
    return drained_future_.wait_for(limit) == std::future_status::ready;
  }

  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
  Timer told_{io_.get_executor(), std::chrono::hours(1)};
  std::promise<void> begun_, drained_;
  std::future<void> drained_future_ = drained_.get_future();
};

constexpr char kPing[] = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(DrainTest, ARequestUnderWayIsAnsweredAsTheLastOne) {
  RawClient client(ServeHeldAnswers());
  client.Send(kPing);
  begun_.get_future().wait();
  Drain();
  EXPECT_FALSE(IsDrainedWithin(std::chrono::seconds(0)));
  Tell();
  const std::string answer = client.ReadToEnd();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(IsDrainedWithin(std::chrono::seconds(10)));
}

TEST_F(DrainTest, ARequestSentBeforeTheClientCouldKnowIsAnswered) {
  RawClient client(ServeHttpDoor());
  client.Send(kPing);
  ASSERT_TRUE(client.Read(15).starts_with("HTTP/1.1 200"));
  Drain();
  client.Send(kPing);
  const std::string rest = client.ReadToEnd();
  EXPECT_NE(rest.find("Connection: close\r\n"), std::string::npos) << rest;
  EXPECT_TRUE(IsDrainedWithin(std::chrono::seconds(10)));
}

TEST_F(DrainTest, IdleConnectionsAreClosedSoon) {
  limits_.idle_timeout = std::chrono::hours(1);
  const uint16_t port = ServePbDoor();
  RawClient never_used(port), used(port);
  used.Send(EncodePbFrame(PbCode::kPingReq, std::string_view()));
  used.Read(5);
  Drain();
  EXPECT_EQ(used.ReadToEnd(), "");
  EXPECT_EQ(never_used.ReadToEnd(), "");
  EXPECT_TRUE(IsDrainedWithin(std::chrono::seconds(10)));
}

TEST_F(DrainTest, AProtocolBuffersRequestIsAnsweredAndTheConnectionEnds) {
  RawClient client(ServePbDoor());
  const std::string ping = EncodePbFrame(PbCode::kPingReq, std::string_view());
  client.Send(ping);
  client.Read(5);
  Drain();
  client.Send(ping);
  EXPECT_EQ(client.ReadToEnd(), EncodePbFrame(PbCode::kPingResp, std::string_view()));
  EXPECT_TRUE(IsDrainedWithin(std::chrono::seconds(10)));
}

TEST_F(DrainTest, NobodyConnectedIsDrainedAtOnce) {
  ServeHttpDoor();
  Drain();
  EXPECT_TRUE(IsDrainedWithin(std::chrono::seconds(10)));
}

TEST_F(DrainTest, WhoConnectedBeforeTheDoorClosedIsServed) {
  const uint16_t port = ServeHttpDoor();
  std::promise<void> blocked, go_on;
  asio::post(io_, [&] {
    blocked.set_value();
    go_on.get_future().wait();
  });
  blocked.get_future().wait();
  // The kernel has connected it; the listener has not yet seen it.
  RawClient client(port);
  client.Send(kPing);
  Drain();
  go_on.set_value();
  EXPECT_TRUE(client.ReadToEnd().starts_with("HTTP/1.1 200 "));
}

TEST(Listener, ABusyPortIsNamed) {
  asio::io_context io{1};
  const auto first = Listener::Open(io.get_executor(), "127.0.0.1", 0);
  ASSERT_TRUE(first.has_value());
  const auto second = Listener::Open(io.get_executor(), "127.0.0.1", (*first)->port());
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string((*first)->port())), std::string::npos);
  EXPECT_EQ(Listener::Open(io.get_executor(), "localhost", 0).error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace dynamo
