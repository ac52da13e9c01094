#include <gtest/gtest.h>

#include <string>

#include "node/api/pb_door.h"
#include "node/api/riak_values.h"
#include "tests/unit/api/fake_handler.h"

namespace dynamo {
namespace {

class PbSessionTest : public testing::Test {
 protected:
  struct Answer {
    uint8_t code;
    Bytes body;
  };

  Answer Ask(uint8_t code, Bytes body = {}) {
    const Bytes frame = RunNow(session_.Answer(code, std::move(body)));
    EXPECT_EQ(ParsePbLength(frame.substr(0, 4), 1 << 20).value(), frame.size() - 4);
    return {static_cast<uint8_t>(frame[4]), frame.substr(5)};
  }
  template <class Message>
  Answer Ask(PbCode code, const Message& message) {
    return Ask(static_cast<uint8_t>(code), message.SerializeAsString());
  }
  std::string ErrorOf(const Answer& answer) {
    EXPECT_EQ(answer.code, 0);
    riak::ErrorResp error;
    EXPECT_TRUE(error.ParseFromString(answer.body));
    return error.errmsg();
  }
  riak::GetResp Get(const riak::GetReq& request) {
    const Answer answer = Ask(PbCode::kGetReq, request);
    EXPECT_EQ(answer.code, 10);
    riak::GetResp out;
    EXPECT_TRUE(out.ParseFromString(answer.body));
    return out;
  }
  static riak::GetReq GetOf(const std::string& bucket, const std::string& key) {
    riak::GetReq request;
    request.set_bucket(bucket);
    request.set_key(key);
    return request;
  }
  static riak::PutReq PutOf(const std::string& key, const std::string& value) {
    riak::PutReq request;
    request.set_bucket("b");
    request.set_key(key);
    request.mutable_content()->set_value(value);
    return request;
  }
  void HandlerHas(std::vector<Sibling> siblings) {
    handler_.get_reply = GetReply{MakeObject(std::move(siblings)), "token", {}};
  }

  FakeHandler handler_;
  FixedRandom random_;
  PbSession session_{DoorEnv{&handler_, &random_, nullptr, {}, "node-1"}};
};

TEST_F(PbSessionTest, PingAndServerInfoAreAnsweredAtOnce) {
  EXPECT_EQ(Ask(1).code, 2);
  const Answer answer = Ask(7);
  EXPECT_EQ(answer.code, 8);
  riak::ServerInfoResp info;
  ASSERT_TRUE(info.ParseFromString(answer.body));
  EXPECT_EQ(info.node(), "node-1");
  EXPECT_EQ(info.server_version(), kRiakApiVersion);
}

TEST_F(PbSessionTest, TheClientIdIsKeptForTheConnection) {
  riak::ClientId id;
  id.set_client_id("me");
  EXPECT_EQ(Ask(PbCode::kSetClientIdReq, id).code, 6);
  riak::ClientId back;
  ASSERT_TRUE(back.ParseFromString(Ask(3).body));
  EXPECT_EQ(back.client_id(), "me");
}

TEST_F(PbSessionTest, AGetCarriesItsOptionsAndDefaultsTheType) {
  riak::GetReq request = GetOf("b", "k");
  request.set_r(0xFFFFFFFE);
  request.set_pr(2);
  request.set_n_val(3);
  request.set_timeout(250);
  request.set_notfound_ok(false);
  Get(request);
  ASSERT_EQ(handler_.gets.size(), 1u);
  const GetRequest& asked = handler_.gets[0];
  EXPECT_EQ(asked.key, (ObjectKey{"default", "b", "k"}));
  EXPECT_EQ(asked.options.r, QuorumValue::One());
  EXPECT_EQ(asked.options.pr, QuorumValue::Number(2));
  EXPECT_EQ(asked.options.n_val, 3u);
  EXPECT_EQ(asked.options.timeout, Duration(250'000));
  EXPECT_EQ(asked.options.notfound_ok, false);
  EXPECT_FALSE(asked.options.sloppy_quorum.has_value());
}

TEST_F(PbSessionTest, AMissingObjectIsAnEmptyAnswer) {
  const riak::GetResp answer = Get(GetOf("b", "k"));
  EXPECT_EQ(answer.content_size(), 0);
  EXPECT_FALSE(answer.has_vclock());
}

TEST_F(PbSessionTest, SiblingsComeSortedByValueWithOneContext) {
  HandlerHas({MakeSibling(1, "pear"), MakeSibling(2, "apple")});
  const riak::GetResp answer = Get(GetOf("b", "k"));
  ASSERT_EQ(answer.content_size(), 2);
  EXPECT_EQ(answer.content(0).value(), "apple");
  EXPECT_EQ(answer.content(1).value(), "pear");
  EXPECT_NE(answer.content(0).vtag(), answer.content(1).vtag());
  EXPECT_EQ(answer.content(1).last_mod(), 1'700'000'000u);
  EXPECT_EQ(answer.content(1).last_mod_usecs(), 250'001u);
  EXPECT_EQ(answer.vclock(), "token");
}

TEST_F(PbSessionTest, ATombstoneIsMissingUnlessItsContextIsAskedFor) {
  HandlerHas({MakeSibling(1, "", true)});
  riak::GetReq request = GetOf("b", "k");
  EXPECT_FALSE(Get(request).has_vclock());
  request.set_deletedvclock(true);
  EXPECT_EQ(Get(request).vclock(), "token");
  EXPECT_EQ(Get(request).content_size(), 0);
}

TEST_F(PbSessionTest, ATombstoneAmongSiblingsIsVisible) {
  HandlerHas({MakeSibling(1, "", true), MakeSibling(2, "v")});
  const riak::GetResp answer = Get(GetOf("b", "k"));
  ASSERT_EQ(answer.content_size(), 2);
  EXPECT_TRUE(answer.content(0).deleted());
  EXPECT_FALSE(answer.content(1).has_deleted());
}

TEST_F(PbSessionTest, HeadLeavesTheValuesOutAndIfModifiedTheContents) {
  HandlerHas({MakeSibling(1, "v")});
  riak::GetReq request = GetOf("b", "k");
  request.set_head(true);
  EXPECT_EQ(Get(request).content(0).value(), "");
  request.set_if_modified("token");
  EXPECT_TRUE(Get(request).unchanged());
  EXPECT_EQ(Get(request).content_size(), 0);
  request.set_if_modified("another");
  EXPECT_FALSE(Get(request).unchanged());
}

TEST_F(PbSessionTest, APutCarriesContentContextAndConditions) {
  riak::PutReq request = PutOf("k", "v");
  request.mutable_content()->set_content_type("text/plain");
  riak::Pair* meta = request.mutable_content()->add_usermeta();
  meta->set_key("a");
  meta->set_value("b");
  request.set_vclock("token");
  request.set_w(2);
  request.set_if_not_modified(true);
  EXPECT_EQ(Ask(PbCode::kPutReq, request).code, 12);
  ASSERT_EQ(handler_.puts.size(), 1u);
  const PutRequest& put = handler_.puts[0];
  EXPECT_EQ(put.content.value, "v");
  EXPECT_EQ(put.content.user_metadata.at(0), std::pair(std::string("a"), std::string("b")));
  EXPECT_EQ(put.context, "token");
  EXPECT_EQ(put.options.w, QuorumValue::Number(2));
  EXPECT_EQ(put.condition.kind, PutCondition::Kind::kUnmodified);
  EXPECT_EQ(put.condition.value, "token");
  EXPECT_FALSE(put.return_object);
}

TEST_F(PbSessionTest, APutWithoutAKeyGetsOneBack) {
  riak::PutReq request = PutOf("k", "v");
  request.clear_key();
  const Answer answer = Ask(PbCode::kPutReq, request);
  riak::PutResp out;
  ASSERT_TRUE(out.ParseFromString(answer.body));
  EXPECT_EQ(out.key(), handler_.puts.at(0).key.key);
  EXPECT_EQ(out.key().size(), 27u);
  EXPECT_EQ(out.key().find('/'), std::string::npos);
}

TEST_F(PbSessionTest, ReturnBodyAndReturnHeadGiveTheStateAfterTheWrite) {
  handler_.put_reply = PutReply{"token", MakeObject({MakeSibling(1, "v")}), {}};
  riak::PutReq request = PutOf("k", "v");
  request.set_return_body(true);
  riak::PutResp out;
  ASSERT_TRUE(out.ParseFromString(Ask(PbCode::kPutReq, request).body));
  EXPECT_EQ(out.content(0).value(), "v");
  EXPECT_EQ(out.vclock(), "token");
  request.set_return_body(false);
  request.set_return_head(true);
  ASSERT_TRUE(out.ParseFromString(Ask(PbCode::kPutReq, request).body));
  EXPECT_EQ(out.content(0).value(), "");
}

TEST_F(PbSessionTest, EmptyAndOverlongNamesAreRefusedByName) {
  EXPECT_EQ(ErrorOf(Ask(PbCode::kGetReq, GetOf("", "k"))), "Bucket cannot be zero-length");
  EXPECT_EQ(ErrorOf(Ask(PbCode::kGetReq, GetOf("b", ""))), "Key cannot be zero-length");
  riak::GetReq no_type = GetOf("b", "k");
  no_type.set_type("");
  EXPECT_EQ(ErrorOf(Ask(PbCode::kGetReq, no_type)), "Type cannot be zero-length");
  EXPECT_EQ(ErrorOf(Ask(PbCode::kPutReq, PutOf("", "v"))), "Key cannot be zero-length");
  EXPECT_NE(ErrorOf(Ask(PbCode::kGetReq, GetOf("b", std::string(5000, 'k')))).find("too long"), std::string::npos);
  EXPECT_TRUE(handler_.gets.empty());
  EXPECT_TRUE(handler_.puts.empty());
}

TEST_F(PbSessionTest, ADeleteTakesRwForBothItsQuorums) {
  riak::DelReq request;
  request.set_bucket("b");
  request.set_key("k");
  request.set_rw(0xFFFFFFFC);
  request.set_vclock("token");
  EXPECT_EQ(Ask(PbCode::kDelReq, request).code, 14);
  ASSERT_EQ(handler_.deletes.size(), 1u);
  EXPECT_EQ(handler_.deletes[0].options.w, QuorumValue::All());
  EXPECT_EQ(handler_.deletes[0].read_options.r, QuorumValue::All());
  EXPECT_EQ(handler_.deletes[0].context, "token");
}

TEST_F(PbSessionTest, ErrorsKeepWhatClientsMatchOnInFront) {
  handler_.get_reply = Fail(Errc::kTimeout, "1 of 2 answered");
  EXPECT_EQ(ErrorOf(Ask(PbCode::kGetReq, GetOf("b", "k"))), "timeout: 1 of 2 answered");
  handler_.get_reply = Fail(Errc::kQuorumUnmet, "{r_val_unsatisfied,2,1}");
  EXPECT_EQ(ErrorOf(Ask(PbCode::kGetReq, GetOf("b", "k"))), "{r_val_unsatisfied,2,1}");
}

TEST_F(PbSessionTest, UnknownCodesAndMalformedBodiesAreErrorsNotTheEnd) {
  EXPECT_EQ(ErrorOf(Ask(99)), "Unknown message code: 99");
  EXPECT_NE(ErrorOf(Ask(17)).find("listing keys"), std::string::npos);
  EXPECT_EQ(ErrorOf(Ask(255)), "Security not enabled; STARTTLS not allowed.");
  EXPECT_NE(ErrorOf(Ask(9, "\x0a\xff")).find("malformed"), std::string::npos);
  EXPECT_EQ(Ask(1).code, 2);
}

TEST_F(PbSessionTest, PropertiesAreReadChangedAndReset) {
  riak::GetBucketReq get;
  get.set_bucket("b");
  riak::GetBucketResp answer;
  ASSERT_TRUE(answer.ParseFromString(Ask(PbCode::kGetBucketReq, get).body));
  EXPECT_EQ(answer.props().n_val(), 3u);
  EXPECT_EQ(answer.props().r(), 0xFFFFFFFD);

  // A client that echoes all it got, with one change, changes just that.
  riak::SetBucketReq set;
  set.set_bucket("b");
  *set.mutable_props() = answer.props();
  set.mutable_props()->set_w(1);
  EXPECT_EQ(Ask(PbCode::kSetBucketReq, set).code, 22);
  ASSERT_EQ(handler_.changes.size(), 1u);
  EXPECT_EQ(handler_.changes[0].change.w, QuorumValue::Number(1));

  set.mutable_props()->set_n_val(5);
  EXPECT_EQ(ErrorOf(Ask(PbCode::kSetBucketReq, set)).find("Invalid bucket properties: "), 0u);
  EXPECT_EQ(Ask(PbCode::kResetBucketReq, get).code, 30);
  EXPECT_TRUE(handler_.changes.back().change.reset);
  get.set_type("nope");
  EXPECT_EQ(ErrorOf(Ask(PbCode::kGetBucketReq, get)), "No bucket-type named 'nope'");
}

TEST(PbFrame, ALengthIsCheckedBeforeAnythingIsAllocated) {
  EXPECT_EQ(ParsePbLength(std::string(4, '\0'), 100).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(ParsePbLength("\x7f\xff\xff\xff", 100).error().code, Errc::kTooLarge);
  EXPECT_EQ(ParsePbLength(std::string("\0\0\0\x05", 4), 100).value(), 5u);
}

TEST(RiakValues, QuorumsSurviveTheWire) {
  for (const QuorumValue& value : {QuorumValue::One(), QuorumValue::Quorum(), QuorumValue::All(), QuorumValue{},
                                   QuorumValue::Number(0), QuorumValue::Number(3)}) {
    EXPECT_EQ(QuorumFromWire(QuorumToWire(value)), value);
  }
  EXPECT_EQ(QuorumFromText("r", "quorum").value(), QuorumValue::Quorum());
  EXPECT_EQ(QuorumFromText("r", "2").value(), QuorumValue::Number(2));
  for (const char* bad : {"", "-1", "NaN", "2.0", "0x2", "99999999999"}) {
    EXPECT_EQ(QuorumFromText("r", bad).error().code, Errc::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace dynamo
