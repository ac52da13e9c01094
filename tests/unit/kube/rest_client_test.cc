#include "common/kube/rest_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <future>

#include "common/kube/live_reader.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo::kube {
namespace {

using ::dynamo::testing::FakeApiServer;
using ::dynamo::testing::FakeReply;
using ::dynamo::testing::FakeRequest;
using ::dynamo::testing::FakeStatus;
using ::dynamo::testing::ManualClock;
using ::testing::HasSubstr;

constexpr char kPod[] = "/api/v1/namespaces/ns/pods/p";

Object PodObject(const std::string& name) {
  return {
      {"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", name}, {"namespace", "ns"}}}, {"spec", Object{}}};
}

FakeReply StatusReply(int code, const std::string& reason) {
  return {code, json::serialize(FakeStatus(code, reason, "scripted").body), {}};
}

class RestClientTest : public ::testing::Test {
 protected:
  RestClientTest() { client_ = MakeClient(server_.config()); }

  std::unique_ptr<RestClient> MakeClient(const KubeConfig& config) {
    RestClientOptions options;
    options.timeouts.read = std::chrono::milliseconds(200);
    options.timeouts.whole = std::chrono::milliseconds(400);
    options.page_items_max = 2;
    return *RestClient::Make(config, &clock_, &metrics_, options);
  }
  // The first `times` requests are answered with `reply`.
  void Script(FakeReply reply, int times) {
    auto left = std::make_shared<std::atomic<int>>(times);
    server_.set_intercept([=](const FakeRequest&) { return (*left)-- > 0 ? std::optional(reply) : std::nullopt; });
  }

  ManualClock clock_;
  Metrics metrics_;
  FakeApiServer server_;
  std::unique_ptr<RestClient> client_;
};

TEST_F(RestClientTest, ReadsBackWhatItCreated) {
  ASSERT_TRUE(client_->Create(Pods(), PodObject("p")));
  const auto pod = client_->Get(Pods(), "ns", "p");
  ASSERT_TRUE(pod);
  EXPECT_EQ(NameOf(*pod), "p");
  EXPECT_NE(UidOf(*pod), "");
  EXPECT_EQ(client_->Create(Pods(), PodObject("p")).error().kind, ApiError::Kind::kAlreadyExists);
}

TEST_F(RestClientTest, AbsenceIsOnlyWhatTheServerSaysIsAbsent) {
  EXPECT_EQ(client_->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kNotFound);
  const LiveReader live(client_.get());
  const auto nothing = live.Get(Pods(), "ns", "p");
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());

  Script({404, "<html>no such page</html>", {}}, 1);
  EXPECT_EQ(client_->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnknown);
  Script(StatusReply(500, "InternalError"), 1);
  EXPECT_FALSE(live.Get(Pods(), "ns", "p"));
  Script({200, "{\"kind\": \"Pod\", ", {}}, 1);
  EXPECT_EQ(client_->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnknown);
  Script({200, "{\"kind\": \"PodList\"}", {}}, 1);
  EXPECT_EQ(client_->List(Pods(), "ns").error().kind, ApiError::Kind::kUnknown);
}

TEST_F(RestClientTest, TellsWhetherAnExtensionIsServedAndNeverGuesses) {
  const Resource monitors{"monitoring.example.com", "v1", "Monitor", "monitors"};
  EXPECT_EQ(client_->Serves(monitors), false);
  // What knows nothing of the group knows nothing of the object.
  EXPECT_EQ(client_->Get(monitors, "ns", "m").error().kind, ApiError::Kind::kUnknown);
  server_.Do("POST", "/apis/monitoring.example.com/v1/namespaces/ns/rules", {{"metadata", {{"name", "r"}}}});
  EXPECT_EQ(client_->Serves(monitors), false);
  server_.Do("POST", "/apis/monitoring.example.com/v1/namespaces/ns/monitors", {{"metadata", {{"name", "m"}}}});
  EXPECT_EQ(client_->Serves(monitors), true);
  Script({404, "404 page not found", {}}, 1);
  EXPECT_FALSE(client_->Serves(monitors));
}

TEST_F(RestClientTest, TellsErrorsApart) {
  const std::vector<std::tuple<int, std::string, ApiError::Kind>> table = {
      {400, "BadRequest", ApiError::Kind::kInvalid},    {401, "Unauthorized", ApiError::Kind::kUnauthorized},
      {403, "Forbidden", ApiError::Kind::kForbidden},   {404, "NotFound", ApiError::Kind::kNotFound},
      {409, "Conflict", ApiError::Kind::kConflict},     {409, "AlreadyExists", ApiError::Kind::kAlreadyExists},
      {410, "Expired", ApiError::Kind::kGone},          {422, "Invalid", ApiError::Kind::kInvalid},
      {500, "InternalError", ApiError::Kind::kUnknown}, {503, "ServiceUnavailable", ApiError::Kind::kUnknown},
      {504, "Timeout", ApiError::Kind::kUnknown},
  };
  for (const auto& [code, reason, kind] : table) {
    Script(StatusReply(code, reason), 1);
    const auto error = client_->Get(Pods(), "ns", "p").error();
    EXPECT_EQ(error.kind, kind) << code << " " << reason;
    EXPECT_THAT(error.message, HasSubstr(kPod));
  }
}

TEST_F(RestClientTest, WaitsAsLongAsRetryAfterSaysAndAsksAgain) {
  ASSERT_TRUE(client_->Create(Pods(), PodObject("p")));
  FakeReply busy = StatusReply(429, "TooManyRequests");
  busy.headers = {{"Retry-After", "3"}};
  Script(busy, 2);
  EXPECT_TRUE(client_->Get(Pods(), "ns", "p"));
  EXPECT_EQ(clock_.waited(), std::chrono::seconds(6));
}

TEST_F(RestClientTest, DoesNotWaitForAServerThatAsksForTooLong) {
  FakeReply busy = StatusReply(503, "ServiceUnavailable");
  busy.headers = {{"Retry-After", "3600"}};
  Script(busy, 1);
  EXPECT_EQ(client_->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnknown);
  EXPECT_EQ(clock_.waited(), Duration(0));
}

TEST_F(RestClientTest, GivesUpAfterAFewAttempts) {
  FakeReply busy = StatusReply(429, "TooManyRequests");
  busy.headers = {{"Retry-After", "1"}};
  Script(busy, 1000);
  EXPECT_EQ(client_->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnknown);
  EXPECT_EQ(server_.requests().size(), 4u);
}

TEST_F(RestClientTest, RepeatsAServerErrorOnlyWhereItSaysWhen) {
  ASSERT_TRUE(client_->Create(Pods(), PodObject("p")));
  Script(StatusReply(500, "InternalError"), 1);
  EXPECT_FALSE(client_->Get(Pods(), "ns", "p"));
  FakeReply later = StatusReply(503, "ServiceUnavailable");
  later.headers = {{"Retry-After", "1"}};
  Script(later, 1);
  EXPECT_TRUE(client_->Get(Pods(), "ns", "p"));
}

TEST_F(RestClientTest, NeverRepeatsACreationThatMayHaveHappened) {
  FakeReply later = StatusReply(503, "ServiceUnavailable");
  later.headers = {{"Retry-After", "1"}};
  Script(later, 1);
  EXPECT_EQ(client_->Create(Pods(), PodObject("p")).error().kind, ApiError::Kind::kUnknown);
  EXPECT_EQ(server_.requests().size(), 1u);
  FakeReply busy = StatusReply(429, "TooManyRequests");
  busy.headers = {{"Retry-After", "1"}};
  Script(busy, 1);
  EXPECT_TRUE(client_->Create(Pods(), PodObject("p")));  // Refused before any effect.
}

TEST_F(RestClientTest, AsksAgainWhereNobodyListensAndThenSaysUnknown) {
  KubeConfig nobody = server_.config();
  nobody.port = 1;
  const auto client = MakeClient(nobody);
  EXPECT_EQ(client->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnknown);
  EXPECT_GT(clock_.waited(), Duration(0));
  EXPECT_EQ(metrics_.counter("rest_client_requests_total", "", {{"code", "<error>"}, {"method", "GET"}}).value(), 4u);
}

TEST_F(RestClientTest, AServerThatFallsSilentIsUnknownAndIsNotAskedTwice) {
  std::atomic<int> asked = 0;
  std::promise<void> given_up;
  server_.set_intercept([&](const FakeRequest&) -> std::optional<FakeReply> {
    ++asked;
    given_up.get_future().wait();
    return FakeReply{200, "{}", {}};
  });
  EXPECT_EQ(client_->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnknown);
  given_up.set_value();
  EXPECT_EQ(asked, 1);
}

TEST_F(RestClientTest, ListsEveryPage) {
  for (const char* name : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(client_->Create(Pods(), PodObject(name)));
  const auto list = client_->List(Pods(), "ns");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->items.size(), 5u);
  EXPECT_EQ(std::ranges::count(server_.requests(), "GET /api/v1/namespaces/ns/pods"), 3);
}

TEST_F(RestClientTest, ListsAnewWhenTheContinueTokenHasExpired) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(client_->Create(Pods(), PodObject(name)));
  std::atomic<int> expired = 1;
  server_.set_intercept([&expired](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.query.find("continue") == std::string::npos || expired-- <= 0) return std::nullopt;
    return StatusReply(410, "Expired");
  });
  const auto list = client_->List(Pods(), "ns");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->items.size(), 3u);
}

TEST_F(RestClientTest, AListThatBreaksOffIsNoList) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(client_->Create(Pods(), PodObject(name)));
  server_.set_intercept([](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.query.find("continue") == std::string::npos) return std::nullopt;
    return StatusReply(500, "InternalError");
  });
  EXPECT_EQ(client_->List(Pods(), "ns").error().kind, ApiError::Kind::kUnknown);
}

TEST_F(RestClientTest, AppliesUnderItsNameAndByForce) {
  std::string query, type;
  server_.set_intercept([&](const FakeRequest& request) -> std::optional<FakeReply> {
    query = request.query;
    type = request.content_type;
    return std::nullopt;
  });
  ASSERT_TRUE(client_->Apply(Pods(), PodObject("p")));
  EXPECT_EQ(query, "fieldManager=dynamo&force=true");
  EXPECT_EQ(type, "application/apply-patch+yaml");
  EXPECT_TRUE(client_->Apply(Pods(), PodObject("p")));
}

TEST_F(RestClientTest, APatchOfAnOldVersionIsAConflict) {
  const auto old = client_->Create(Pods(), PodObject("p"));
  ASSERT_TRUE(client_->MergePatch(Pods(), "ns", "p", {{"spec", {{"a", 1}}}}));
  const auto late = client_->MergePatch(
      Pods(), "ns", "p", {{"metadata", {{"resourceVersion", ResourceVersionOf(*old)}}}, {"spec", {{"a", 2}}}});
  EXPECT_EQ(late.error().kind, ApiError::Kind::kConflict);
  EXPECT_EQ(IntAt(*client_->Get(Pods(), "ns", "p"), "spec.a"), 1);
}

TEST_F(RestClientTest, AStatusPatchLeavesTheSpecAlone) {
  ASSERT_TRUE(client_->Create(Pods(), PodObject("p")));
  ASSERT_TRUE(client_->StatusPatch(Pods(), "ns", "p", {{"status", {{"phase", "Running"}}}, {"spec", {{"a", 1}}}}));
  const auto pod = client_->Get(Pods(), "ns", "p");
  EXPECT_EQ(StringAt(*pod, "status.phase"), "Running");
  EXPECT_EQ(IntAt(*pod, "spec.a"), 0);
}

TEST_F(RestClientTest, DeletesOnlyTheObjectThatWasMeant) {
  const auto first = client_->Create(Pods(), PodObject("p"));
  EXPECT_EQ(client_->Delete(Pods(), "ns", "p", {""}).error().kind, ApiError::Kind::kInvalid);
  server_.Do("DELETE", kPod);
  ASSERT_TRUE(client_->Create(Pods(), PodObject("p")));
  EXPECT_EQ(client_->Delete(Pods(), "ns", "p", {UidOf(*first)}).error().kind, ApiError::Kind::kConflict);
  EXPECT_TRUE(client_->Get(Pods(), "ns", "p"));
  EXPECT_TRUE(client_->Delete(Pods(), "ns", "p", {UidOf(*client_->Get(Pods(), "ns", "p"))}));
}

TEST_F(RestClientTest, ShowsARotatedTokenAfterAMinuteAndAtOnceWhenTheOldOneIsRefused) {
  const TemporaryFolder folder;
  KubeConfig config = server_.config();
  config.token_file = folder.path() + "/token";
  const auto write = [&](const std::string& token) { std::ofstream(config.token_file) << token << "\n"; };
  std::string valid = "first", seen;
  server_.set_intercept([&](const FakeRequest& request) -> std::optional<FakeReply> {
    seen = request.authorization;
    if (seen != "Bearer " + valid) return StatusReply(401, "Unauthorized");
    return FakeReply{200, "{}", {}};
  });
  write("first");
  const auto client = MakeClient(config);
  EXPECT_TRUE(client->Get(Pods(), "ns", "p"));

  write("second");
  EXPECT_TRUE(client->Get(Pods(), "ns", "p"));
  EXPECT_EQ(seen, "Bearer first");
  clock_.Advance(std::chrono::seconds(61));
  valid = "second";
  EXPECT_TRUE(client->Get(Pods(), "ns", "p"));
  EXPECT_EQ(seen, "Bearer second");

  write("third");
  valid = "third";
  EXPECT_TRUE(client->Get(Pods(), "ns", "p"));
  valid = "none";
  EXPECT_EQ(client->Get(Pods(), "ns", "p").error().kind, ApiError::Kind::kUnauthorized);
}

}  // namespace
}  // namespace dynamo::kube
