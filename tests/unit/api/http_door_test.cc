#include "node/api/http_door.h"

#include <gtest/gtest.h>

#include <string>

#include "common/base/base64.h"
#include "node/api/http_content.h"
#include "tests/unit/api/fake_handler.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;
using http::verb;

class HttpDoorTest : public testing::Test {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  HttpResponse Ask(verb method, const std::string& target, const Headers& headers = {}, std::string body = {}) {
    HttpRequest request(method, target, 11);
    for (const auto& [name, value] : headers) request.insert(name, value);
    request.body() = std::move(body);
    return RunNow(door_.Answer(std::move(request)));
  }
  HttpResponse Put(const std::string& target, Headers headers = {}, std::string body = "v") {
    headers.emplace_back("Content-Type", "text/plain");
    return Ask(verb::put, target, headers, std::move(body));
  }
  void HandlerHas(std::vector<Sibling> siblings) {
    handler_.get_reply = GetReply{MakeObject(std::move(siblings)), "token", {NodeId{7}, {NodeId{7}, NodeId{8}}}};
  }

  FakeHandler handler_;
  FixedRandom random_;
  Metrics metrics_;
  HttpDoor door_{DoorEnv{&handler_, &random_, &metrics_, {}, "node-1"}};
};

TEST_F(HttpDoorTest, PingResourcesAndStatsAreThere) {
  EXPECT_EQ(Ask(verb::get, "/ping").body(), "OK");
  EXPECT_NE(Ask(verb::get, "/").body().find("riak_kv_wm_buckets"), std::string::npos);
  metrics_.counter("dynamo_gets_total", "Gets.").Add(3);
  const std::string stats = Ask(verb::get, "/stats").body();
  EXPECT_NE(stats.find("\"riak_kv_version\""), std::string::npos);
  EXPECT_NE(stats.find("\"dynamo_gets_total\":3"), std::string::npos);
  EXPECT_EQ(Ask(verb::delete_, "/ping").result_int(), 405u);
  EXPECT_EQ(Ask(verb::get, "/nowhere").result_int(), 404u);
}

TEST_F(HttpDoorTest, NamesAreTakenByteExactFromThePath) {
  Ask(verb::get, "/types/siblings/buckets/a%20b/keys/%00%FF%2F..%2F");
  ASSERT_EQ(handler_.gets.size(), 1u);
  EXPECT_EQ(handler_.gets[0].key.type, "siblings");
  EXPECT_EQ(handler_.gets[0].key.bucket, "a b");
  EXPECT_EQ(handler_.gets[0].key.key, std::string("\0\xff/../", 6));
  Ask(verb::get, "/buckets/b/keys/..");
  EXPECT_EQ(handler_.gets[1].key, (ObjectKey{"default", "b", ".."}));
  Ask(verb::get, "/riak/b/k");
  EXPECT_EQ(handler_.gets[2].key, (ObjectKey{"default", "b", "k"}));
}

TEST_F(HttpDoorTest, BadNamesAndEscapesAreRefusedBeforeTheHandler) {
  EXPECT_EQ(Ask(verb::get, "/buckets/b/keys/%4").result_int(), 400u);
  EXPECT_EQ(Ask(verb::get, "/buckets/b/keys/%zz").result_int(), 400u);
  EXPECT_EQ(Ask(verb::get, "/buckets//keys/k").result_int(), 400u);
  EXPECT_EQ(Put("/buckets/b/keys/" + std::string(5000, 'k')).result_int(), 414u);
  EXPECT_TRUE(handler_.gets.empty());
  EXPECT_TRUE(handler_.puts.empty());
}

TEST_F(HttpDoorTest, OneValueComesWithAllThatDescribesIt) {
  Sibling sibling = MakeSibling(1, "v");
  sibling.content.charset = "utf-8";
  sibling.content.content_encoding = "gzip";
  sibling.content.user_metadata = {{"Colour", "red"}};
  sibling.content.indexes = {{"age_int", "7"}, {"age_int", "9"}};
  sibling.content.links = {{"b2", "k 2", "friend"}};
  HandlerHas({sibling});
  const HttpResponse response = Ask(verb::get, "/buckets/b/keys/k");
  EXPECT_EQ(response.result_int(), 200u);
  EXPECT_EQ(response.body(), "v");
  EXPECT_EQ(response["Content-Type"], "text/plain; charset=utf-8");
  EXPECT_EQ(response["Content-Encoding"], "gzip");
  EXPECT_EQ(response["X-Riak-Vclock"], Base64Encode("token"));
  EXPECT_EQ(response["X-Riak-Meta-Colour"], "red");
  EXPECT_EQ(response["X-Riak-Index-age_int"], "7, 9");
  EXPECT_EQ(response["Link"], "</buckets/b>; rel=\"up\", </buckets/b2/keys/k%202>; riaktag=\"friend\"");
  EXPECT_EQ(response["Last-Modified"], "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(response["X-Dynamo-Coordinator"], "0000000000000007");
  EXPECT_EQ(response["X-Dynamo-Replicas"], "0000000000000007, 0000000000000008");
}

TEST_F(HttpDoorTest, SiblingsAreAListOfTagsOrAMultipartBody) {
  HandlerHas({MakeSibling(1, "pear"), MakeSibling(2, "apple")});
  const std::string first = EntityTagOf(MakeSibling(2, "")), second = EntityTagOf(MakeSibling(1, ""));
  const HttpResponse list = Ask(verb::get, "/buckets/b/keys/k");
  EXPECT_EQ(list.result_int(), 300u);
  EXPECT_EQ(list.body(), "Siblings:\n" + first + "\n" + second + "\n");
  const HttpResponse parts = Ask(verb::get, "/buckets/b/keys/k", {{"Accept", "multipart/mixed, */*;q=0.9"}});
  EXPECT_EQ(parts.result_int(), 300u);
  const std::string type(parts["Content-Type"]);
  const std::string boundary = type.substr(type.find("boundary=") + 9);
  EXPECT_NE(parts.body().find("\r\n--" + boundary + "\r\n"), std::string::npos);
  EXPECT_LT(parts.body().find("\r\n\r\napple\r\n"), parts.body().find("\r\n\r\npear\r\n"));
  EXPECT_TRUE(parts.body().ends_with("\r\n--" + boundary + "--\r\n"));
  EXPECT_EQ(Ask(verb::get, "/buckets/b/keys/k?vtag=" + second).body(), "pear");
  EXPECT_EQ(Ask(verb::get, "/buckets/b/keys/k?vtag=none").result_int(), 404u);
}

TEST_F(HttpDoorTest, AMissingObjectAndATombstoneAreToldApart) {
  const HttpResponse missing = Ask(verb::get, "/buckets/b/keys/k");
  EXPECT_EQ(missing.result_int(), 404u);
  EXPECT_EQ(missing.body(), "not found\n");
  EXPECT_EQ(missing["X-Riak-Vclock"], "");
  HandlerHas({MakeSibling(1, "", true)});
  const HttpResponse deleted = Ask(verb::get, "/buckets/b/keys/k");
  EXPECT_EQ(deleted.result_int(), 404u);
  EXPECT_EQ(deleted["X-Riak-Vclock"], Base64Encode("token"));
  EXPECT_EQ(deleted["X-Riak-Deleted"], "true");
}

TEST_F(HttpDoorTest, AnUnchangedObjectIsNotSentAgain) {
  HandlerHas({MakeSibling(1, "v")});
  const std::string tag = '"' + EntityTagOf(MakeSibling(1, "")) + '"';
  EXPECT_EQ(Ask(verb::get, "/buckets/b/keys/k", {{"If-None-Match", tag}}).result_int(), 304u);
  EXPECT_EQ(Ask(verb::get, "/buckets/b/keys/k", {{"If-None-Match", "\"x\""}}).result_int(), 200u);
}

TEST_F(HttpDoorTest, APutCarriesContentContextAndQuorums) {
  const HttpResponse response = Put("/buckets/b/keys/k?w=all&dw=1&timeout=90&returnbody=false",
                                    {{"X-Riak-Vclock", Base64Encode("token")},
                                     {"X-Riak-Meta-Colour", "red"},
                                     {"x-riak-index-age_int", "7, 9"},
                                     {"Link", "</buckets/b>; rel=\"up\", </riak/b2/k2>; riaktag=\"f,1\""}});
  EXPECT_EQ(response.result_int(), 204u);
  ASSERT_EQ(handler_.puts.size(), 1u);
  const PutRequest& put = handler_.puts[0];
  EXPECT_EQ(put.context, "token");
  EXPECT_EQ(put.content.content_type, "text/plain");
  EXPECT_EQ(put.content.value, "v");
  EXPECT_EQ(put.content.user_metadata.at(0).first, "Colour");
  EXPECT_EQ(put.content.indexes.size(), 2u);
  EXPECT_EQ(put.content.links.at(0), (Content::Link{"b2", "k2", "f,1"}));
  EXPECT_EQ(put.options.w, QuorumValue::All());
  EXPECT_EQ(put.options.dw, QuorumValue::Number(1));
  EXPECT_EQ(put.options.timeout, Duration(90'000));
}

TEST_F(HttpDoorTest, APutWithoutAContentTypeOrWithBadParametersIsRefused) {
  EXPECT_EQ(Ask(verb::put, "/buckets/b/keys/k", {}, "v").result_int(), 400u);
  for (const char* query : {"w=-1", "w=NaN", "w=", "dw=1.5", "pw=99999999999", "timeout=soon", "returnbody=maybe"}) {
    EXPECT_EQ(Put(std::string("/buckets/b/keys/k?") + query).result_int(), 400u) << query;
  }
  EXPECT_EQ(Put("/buckets/b/keys/k", {{"X-Riak-Vclock", "not base64!"}}).result_int(), 400u);
  EXPECT_TRUE(handler_.puts.empty());
}

TEST_F(HttpDoorTest, APostToKeysMakesAKeyAndSaysWhere) {
  const HttpResponse response =
      Ask(verb::post, "/types/siblings/buckets/b/keys", {{"Content-Type", "text/plain"}}, "v");
  EXPECT_EQ(response.result_int(), 201u);
  EXPECT_EQ(response["Location"], "/types/siblings/buckets/b/keys/" + handler_.puts.at(0).key.key);
}

TEST_F(HttpDoorTest, ReturnBodyGivesTheStateAfterTheWrite) {
  handler_.put_reply = PutReply{"token", MakeObject({MakeSibling(1, "v")}), {}};
  EXPECT_EQ(Put("/buckets/b/keys/k?returnbody=true").result_int(), 200u);
  handler_.put_reply = PutReply{"token", MakeObject({MakeSibling(1, "v"), MakeSibling(2, "w")}), {}};
  EXPECT_EQ(Put("/buckets/b/keys/k?returnbody=true").result_int(), 300u);
}

TEST_F(HttpDoorTest, ConditionsReachTheHandlerAndFailAs412Or409) {
  handler_.put_reply = Fail(Errc::kConflict, "match_found");
  EXPECT_EQ(Put("/buckets/b/keys/k", {{"If-None-Match", "*"}}).result_int(), 412u);
  EXPECT_EQ(handler_.puts.back().condition.kind, PutCondition::Kind::kAbsent);
  EXPECT_EQ(Put("/buckets/b/keys/k", {{"If-Match", "\"tag\""}}).result_int(), 412u);
  EXPECT_EQ(handler_.puts.back().condition.value, "tag");
  EXPECT_EQ(Put("/buckets/b/keys/k", {{"X-Riak-If-Not-Modified", Base64Encode("old")}}).result_int(), 409u);
  EXPECT_EQ(handler_.puts.back().condition.value, "old");
}

TEST_F(HttpDoorTest, ADeleteIsWithoutContent) {
  const HttpResponse response =
      Ask(verb::delete_, "/buckets/b/keys/k?rw=all", {{"X-Riak-Vclock", Base64Encode("token")}});
  EXPECT_EQ(response.result_int(), 204u);
  EXPECT_EQ(handler_.deletes.at(0).context, "token");
  EXPECT_EQ(handler_.deletes.at(0).options.w, QuorumValue::All());
}

TEST_F(HttpDoorTest, ErrorsHaveRiaksStatusAndWords) {
  const auto get_fails_as = [this](Errc code, std::string message) {
    handler_.get_reply = Fail(code, std::move(message));
    return Ask(verb::get, "/buckets/b/keys/k");
  };
  EXPECT_EQ(get_fails_as(Errc::kQuorumUnmet, "{pr_val_unsatisfied,2,1}").body(), "PR-value unsatisfied: 1/2\n");
  EXPECT_EQ(get_fails_as(Errc::kQuorumUnmet, "{r_val_unsatisfied,2,1}").result_int(), 503u);
  EXPECT_EQ(get_fails_as(Errc::kTimeout, "1 of 2 answered").body(), "request timed out: 1 of 2 answered\n");
  EXPECT_EQ(get_fails_as(Errc::kInvalidArgument, "{n_val_violation,3}").body(),
            "Specified r/pr/node_confirms values invalid for bucket n value of 3\n");
  EXPECT_EQ(get_fails_as(Errc::kOverloaded, "busy")["Retry-After"], "1");
  EXPECT_EQ(get_fails_as(Errc::kNotFound, "Unknown bucket type: t").result_int(), 404u);
  EXPECT_EQ(get_fails_as(Errc::kBadContext, "forged").result_int(), 400u);
  EXPECT_EQ(get_fails_as(Errc::kTooManySiblings, "{too_many_siblings,101}").result_int(), 422u);
  EXPECT_EQ(get_fails_as(Errc::kCorrupt, "checksum").result_int(), 500u);
}

TEST_F(HttpDoorTest, PropertiesAreReadChangedAndReset) {
  const std::string path = "/buckets/b/props";
  const HttpResponse props = Ask(verb::get, path);
  EXPECT_NE(props.body().find("\"r\":\"quorum\""), std::string::npos);
  EXPECT_EQ(Ask(verb::put, path, {}, props.body()).result_int(), 204u);
  EXPECT_EQ(Ask(verb::put, path, {}, R"({"props":{"w":"all","pr":1,"unknown":{}}})").result_int(), 204u);
  EXPECT_EQ(handler_.changes.back().change.w, QuorumValue::All());
  EXPECT_EQ(handler_.changes.back().change.pr, QuorumValue::Number(1));
  EXPECT_FALSE(handler_.changes.back().change.r.has_value());
  EXPECT_EQ(Ask(verb::delete_, path).result_int(), 204u);
  EXPECT_TRUE(handler_.changes.back().change.reset);
  EXPECT_EQ(Ask(verb::get, "/types/siblings/props").result_int(), 200u);
  EXPECT_EQ(Ask(verb::get, "/types/none/props").result_int(), 404u);
  const size_t changes = handler_.changes.size();
  for (const char* bad :
       {"", "[]", "{", R"({"props":{"n_val":5}})", R"({"props":{"allow_mult":false}})", R"({"props":{"w":"some"}})",
        R"({"props":{"w":-1}})", R"({"props":{"notfound_ok":1}})", R"({"props":{"datatype":"map"}})"}) {
    EXPECT_EQ(Ask(verb::put, path, {}, bad).result_int(), 400u) << bad;
  }
  EXPECT_EQ(handler_.changes.size(), changes);
}

TEST_F(HttpDoorTest, StoredBytesCannotBreakOutOfTheirHeader) {
  Sibling sibling = MakeSibling(1, "v");
  sibling.content.content_type = "text/plain\r\nX-Evil: 1";
  sibling.content.user_metadata = {{"a: b\r\nX-Evil", "1"}, {"ok", "x\ny"}};
  HandlerHas({sibling});
  const HttpResponse response = Ask(verb::get, "/buckets/b/keys/k");
  EXPECT_EQ(response["X-Evil"], "");
  EXPECT_EQ(response["Content-Type"], "text/plain  X-Evil: 1");
  EXPECT_EQ(response["X-Riak-Meta-ok"], "x y");
}

TEST(HttpContent, ABoundaryNeverOccursInAValue) {
  Sibling sibling = MakeSibling(1, "");
  const std::string first = BoundaryFor({&sibling});
  sibling.content.value = "--" + first + "--";
  EXPECT_NE(BoundaryFor({&sibling}), first);
}

TEST(HttpContent, MalformedLinksAreRefused) {
  for (const char* bad :
       {"buckets/b", "</buckets/b/keys/k", "</buckets/b/keys/%z>; riaktag=\"t\"", "</buckets/b/keys/k>; riaktag=\"t"}) {
    EXPECT_FALSE(ParseLinks(bad).has_value()) << bad;
  }
  EXPECT_EQ(ParseLinks(" ").value().size(), 0u);
}

}  // namespace
}  // namespace dynamo
