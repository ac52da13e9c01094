// Bad requests against real nodes: a clear error, and nothing changed.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <string>

#include "tests/cluster/real_cluster.h"

namespace dynamo::cluster {
namespace {

constexpr char kBase[] = "/types/siblings/buckets/bad/keys/";

class BadInputTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new RealCluster(23, 3, {"--siblings-max", "20", "--object-bytes-max", "1MiB"});
    cluster_->StartAll();
    const Status created = cluster_->Create();
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }
  static void TearDownTestSuite() { delete cluster_; }

  BadInputTest() : http_("http://" + cluster_->node(0).http()) {}

  httplib::Response Put(const std::string& path, const std::string& value, const std::string& context = {}) {
    httplib::Headers headers;
    if (!context.empty()) headers.emplace("X-Riak-Vclock", context);
    return http_.Put(kBase + path, headers, value, "text/plain").value();
  }
  httplib::Response Get(const std::string& path) { return http_.Get(kBase + path).value(); }

  static inline RealCluster* cluster_ = nullptr;
  httplib::Client http_;
};

TEST_F(BadInputTest, QuorumsThatCannotBeAreRefused) {
  for (const char* query : {"w=0", "w=4", "w=-1", "w=2147483648", "w=NaN", "pw=4", "dw=4", "node_confirms=4"}) {
    const auto response = Put(fmt::format("quorum?{}", query), "v");
    EXPECT_EQ(response.status, 400) << query << ": " << response.body;
  }
  for (const char* query : {"r=0", "r=4", "r=-1", "r=2147483648", "r=NaN", "pr=4"}) {
    EXPECT_EQ(Get(fmt::format("quorum?{}", query)).status, 400) << query;
  }
  EXPECT_EQ(Get("quorum").status, 404);
}

TEST_F(BadInputTest, ContextsThatNoReadGaveAreRefused) {
  ASSERT_EQ(Put("context", "kept").status, 204);
  ASSERT_EQ(Put("other", "v").status, 204);
  const std::string good = Get("context").get_header_value("X-Riak-Vclock");
  std::string altered = good;
  altered[good.size() / 2] = altered[good.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& bad :
       {altered, good.substr(0, good.size() - 4), Get("other").get_header_value("X-Riak-Vclock"), std::string("AAAA"),
        std::string("not base64"), std::string(400'000, 'A')}) {
    const auto response =
        http_.Put(std::string(kBase) + "context", httplib::Headers{{"X-Riak-Vclock", bad}}, "v", "text/plain");
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->status == 400 || response->status == 431) << response->status;
  }
  EXPECT_EQ(Get("context").body, "kept");
  EXPECT_EQ(Put("context", "resolved", good).status, 204);
  EXPECT_EQ(Get("context").body, "resolved");
}

TEST_F(BadInputTest, OneSiblingTooManyIsRefusedAndCanBeResolved) {
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Put("many", "v" + std::to_string(i)).status, 204) << i;
  const auto refused = Put("many", "one more");
  EXPECT_EQ(refused.status / 100, 4);
  EXPECT_NE(refused.body.find("too_many_siblings"), std::string::npos) << refused.body;
  const auto siblings = Get("many");
  EXPECT_EQ(siblings.status, 300);
  EXPECT_EQ(std::count(siblings.body.begin(), siblings.body.end(), '\n'), 21);
  EXPECT_EQ(Put("many", "resolved", siblings.get_header_value("X-Riak-Vclock")).status, 204);
  EXPECT_EQ(Get("many").body, "resolved");
}

TEST_F(BadInputTest, KeysAreByteExactOrRefused) {
  for (const char* key : {"%00", "%FF%FE", "..%2F..%2Fetc%2Fpasswd", "%F0%9F%8D%8B", "a%20b"}) {
    ASSERT_EQ(Put(key, key).status, 204) << key;
  }
  for (const char* key : {"%00", "%FF%FE", "..%2F..%2Fetc%2Fpasswd", "%F0%9F%8D%8B", "a%20b"}) {
    EXPECT_EQ(Get(key).body, key);
  }
  EXPECT_EQ(Put("", "v").status, 400);
  EXPECT_EQ(Put(std::string(5000, 'k'), "v").status, 414);
}

TEST_F(BadInputTest, AnObjectOverTheLimitIsRefused) {
  const auto refused =
      http_.Put(std::string(kBase) + "big", httplib::Headers{}, std::string(2u << 20, 'x'), "text/plain");
  // The server answers and closes before it has read it all: the client may see either.
  if (refused) {
    EXPECT_EQ(refused->status, 413);
  }
  httplib::Client again("http://" + cluster_->node(0).http());
  EXPECT_EQ(again.Get(std::string(kBase) + "big").value().status, 404);
  EXPECT_EQ(
      again.Put(std::string(kBase) + "large", httplib::Headers{}, std::string(1'000'000, 'x'), "text/plain")->status,
      204);
  EXPECT_EQ(again.Get(std::string(kBase) + "large")->body.size(), 1'000'000u);
}

TEST_F(BadInputTest, UnknownTypesAreNamed) {
  const auto response = http_.Get("/types/nope/buckets/b/keys/k");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_NE(response->body.find("nope"), std::string::npos);
}

}  // namespace
}  // namespace dynamo::cluster
