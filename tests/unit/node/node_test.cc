#include "node/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

namespace dynamo {
namespace {

using testing::HasSubstr;

// Asks over a blocking socket and reads to the end.
std::string HttpGet(uint16_t port, const std::string& path) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  asio::write(socket, asio::buffer("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  std::string answer;
  char chunk[4096];
  boost::system::error_code error;
  while (const size_t size = socket.read_some(asio::buffer(chunk), error)) answer.append(chunk, size);
  return answer;
}

class NodeTest : public testing::Test {
 protected:
  NodeTest() { std::filesystem::remove_all(folder_); }
  ~NodeTest() override { std::filesystem::remove_all(folder_); }

  NodeConfig Config(uint32_t shards = 1) const {
    NodeConfig config;
    config.data_dir = folder_;
    config.name = "test";
    config.advertise_address = "127.0.0.1";
    config.http_port = config.pb_port = config.peer_port = config.admin_port = 0;
    config.shards = shards;
    return config;
  }
  std::unique_ptr<Node> Start(NodeConfig config) {
    auto node = Node::Start(std::move(config), Logger());
    EXPECT_TRUE(node.has_value()) << node.error().message;
    return node ? std::move(*node) : nullptr;
  }

  const std::string folder_ = testing::TempDir() + "/node_test_" + std::to_string(getpid());
};

TEST_F(NodeTest, AnswersAtAllItsDoorsWithinASecondOfItsStart) {
  const auto begin = std::chrono::steady_clock::now();
  const auto node = Start(Config());
  EXPECT_THAT(HttpGet(node->ports().http, "/ping"), HasSubstr("OK"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_THAT(HttpGet(node->ports().admin, "/healthz"), HasSubstr("200 OK"));
  EXPECT_THAT(HttpGet(node->ports().admin, "/readyz"), HasSubstr("503"));  // Of no cluster yet.
  EXPECT_THAT(HttpGet(node->ports().admin, "/metrics"), HasSubstr("dynamo_peer_calls_total"));
  EXPECT_NE(node->ports().pb, 0);
  EXPECT_NE(node->ports().peer, 0);
}

TEST_F(NodeTest, SeveralShardsTakeTurns) {
  const auto node = Start(Config(/*shards=*/3));
  for (int i = 0; i < 6; ++i) EXPECT_THAT(HttpGet(node->ports().http, "/ping"), HasSubstr("OK"));
}

TEST_F(NodeTest, KeepsItsIdentityFromStartToStart) {
  const auto identity = [this] {
    const auto node = Start(Config());
    const std::string answer = HttpGet(node->ports().admin, "/identity");
    return answer.substr(answer.find("nodeID"), 30);
  };
  const std::string first = identity();
  EXPECT_EQ(identity(), first);
}

TEST_F(NodeTest, StopsWhileClientsAreConnected) {
  auto node = Start(Config(/*shards=*/2));
  asio::io_context io;
  std::vector<asio::ip::tcp::socket> clients;
  for (const uint16_t port : {node->ports().http, node->ports().pb, node->ports().peer, node->ports().admin}) {
    clients.emplace_back(io).connect({asio::ip::make_address("127.0.0.1"), port});
  }
  asio::write(clients[0], asio::buffer(std::string_view("GET /types/t/buckets/b/keys/k HT")));
  EXPECT_THAT(HttpGet(node->ports().http, "/ping"), HasSubstr("OK"));
  node.reset();
  std::string unasked;
  for (auto& client : clients) {
    boost::system::error_code error;
    asio::read(client, asio::dynamic_buffer(unasked), error);  // A peer's port says hello first.
    EXPECT_TRUE(error);
  }
}

TEST_F(NodeTest, ABusyPortIsNamedAndNothingIsTouched) {
  const auto first = Start(Config());
  NodeConfig config = Config();
  config.data_dir = folder_ + "_second";
  config.pb_port = first->ports().pb;
  const auto second = Node::Start(config, Logger());
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message,
              HasSubstr("pb-port: cannot listen at 127.0.0.1:" + std::to_string(config.pb_port)));
  EXPECT_FALSE(std::filesystem::exists(config.data_dir));
}

TEST_F(NodeTest, AFolderOfSomethingElseIsRefusedAndLeftAsItIs) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ + "/thesis.tex") << "years of work";
  const auto node = Node::Start(Config(), Logger());
  ASSERT_FALSE(node.has_value());
  EXPECT_THAT(node.error().message, HasSubstr(folder_));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(NodeTest, AFolderInUseIsRefused) {
  const auto first = Start(Config());
  const auto second = Node::Start(Config(), Logger());
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message, HasSubstr(folder_));
}

}  // namespace
}  // namespace dynamo
