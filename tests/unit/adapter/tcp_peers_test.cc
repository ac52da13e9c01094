// Who a node meets at the other end of a connection: other releases, and no peers at all.
#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <string_view>

#include "tests/unit/adapter/tcp_testing.h"

namespace dynamo {
namespace {

using namespace tcp_testing;
using asio::ip::tcp;
using std::chrono::seconds;

// Two nodes of neighbouring releases, and one that is too far from both.
class MixedVersionsTest : public TcpTransportTest {
 protected:
  static TcpTransportOptions Speaks(SpokenVersions versions) {
    TcpTransportOptions options;
    options.channel.connection.versions = versions;
    return options;
  }
  // Over `to`'s own connection, each of `from` makes its own.
  Answer AskFrom(Node& from, Node& to) {
    from.transport.SetAddress(NodeId{99}, to.address());
    to.transport.SetSelf(NodeId{99});
    Answer answer;
    from.transport.Call(NodeId{99}, Shared("hello"), In(seconds(5)), answer.Keep());
    Until([&] { return answer.value.has_value(); }, {&from, &to});
    return answer;
  }
  static uint64_t Accepted(Node& node, int version) {
    return node.metrics.counter("dynamo_peer_connections_accepted_total", "", {{"version", std::to_string(version)}})
        .value();
  }
  Node old_{11, /*listen=*/true, Speaks({1, 2})};
  Node new_{12, /*listen=*/true, Speaks({2, 3})};
  Node far_{13, /*listen=*/true, Speaks({3, 4})};
};

TEST_F(MixedVersionsTest, NeighbouringReleasesUnderstandEachOtherBothWays) {
  EXPECT_TRUE(AskFrom(old_, new_).ok());
  EXPECT_TRUE(AskFrom(new_, old_).ok());
  EXPECT_EQ(Accepted(new_, 2), 1u);
  EXPECT_EQ(Accepted(old_, 2), 1u);
}

TEST_F(MixedVersionsTest, TwoNewOnesSpeakTheNewestVersion) {
  EXPECT_TRUE(AskFrom(new_, far_).ok());
  EXPECT_EQ(Accepted(far_, 3), 1u);
}

TEST_F(MixedVersionsTest, WhoSharesNoVersionIsRefusedAndToldWhy) {
  const Answer answer = AskFrom(old_, far_);
  // Nothing has left yet: it is sure that the request was not processed.
  EXPECT_EQ(answer.code(), Errc::kUnavailable);
  EXPECT_NE(answer.value->error().message.find("versions 3 to 4, this node 1 to 2"), std::string::npos)
      << answer.value->error().message;
  EXPECT_TRUE(far_.handler.requests.empty());
  EXPECT_EQ(old_.count("dynamo_peer_frames_malformed_total"), 1u);
}

TEST_F(MixedVersionsTest, ANodeThatComesBackNewerIsSpokenToInTheNewVersion) {
  Node both(14, /*listen=*/false, Speaks({2, 3}));
  EXPECT_TRUE(AskFrom(both, old_).ok());
  EXPECT_TRUE(AskFrom(both, new_).ok());
  EXPECT_EQ(Accepted(old_, 2), 1u);
  EXPECT_EQ(Accepted(new_, 3), 1u);
}

// What a client that is no peer finds at the peer port.
class StrayClientTest : public TcpTransportTest {
 protected:
  StrayClientTest() { socket.connect({asio::ip::make_address("127.0.0.1"), b.listener->port()}); }
  void Say(std::string_view bytes) { asio::write(socket, asio::buffer(bytes)); }
  // After its hello.
  bool ClosedByPeer() {
    Bytes hello(kHelloBytes + 1, '\0');
    boost::system::error_code error;
    bool done = false;
    asio::async_read(socket, asio::buffer(hello), [&](const boost::system::error_code& got, size_t) {
      error = got;
      done = true;
    });
    Until([&] { return done; });
    return error == asio::error::eof || error == asio::error::connection_reset;
  }
  tcp::socket socket{a.loop.io()};
};

TEST_F(StrayClientTest, IsClosedAtItsFirstBytes) {
  Say("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(ClosedByPeer());
}

TEST_F(StrayClientTest, IsClosedAtABadFrame) {
  Bytes frame = EncodeHello(kSpokenVersions);
  AppendFrame({}, "body", &frame);
  frame.back() ^= 1;
  Say(frame);
  EXPECT_TRUE(ClosedByPeer());
  EXPECT_TRUE(b.handler.requests.empty());
  EXPECT_EQ(b.count("dynamo_peer_frames_malformed_total"), 1u);
}

TEST_F(StrayClientTest, IsClosedWhenItClaimsTooMuch) {
  Say(EncodeHello(kSpokenVersions) + "\x7f\xff\xff\xff");
  EXPECT_TRUE(ClosedByPeer());
  EXPECT_EQ(b.count("dynamo_peer_frames_malformed_total"), 1u);
}

}  // namespace
}  // namespace dynamo
