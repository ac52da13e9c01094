#include "node/protocol/messages.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "node/protocol/frame.h"

namespace dynamo {
namespace {

TEST(Messages, ARequestComesBackAsItWent) {
  peer::Request request;
  request.mutable_replica_put()->mutable_key()->set_bucket(std::string("b\0c", 3));
  request.mutable_replica_put()->set_hint_for(7);
  request.mutable_replica_put()->set_object("\xff\xfe");
  const auto parsed = ParseRequest(*EncodeRequest(request));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->SerializeAsString(), request.SerializeAsString());
  EXPECT_EQ(parsed->replica_put().key().bucket(), std::string("b\0c", 3));
}

TEST(Messages, AnAnswerComesBackAsItWent) {
  peer::Response response;
  response.mutable_replica_stored()->set_durable(true);
  const auto parsed = ParseResponse(*EncodeResponse(response));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->replica_stored().durable());
}

TEST(Messages, ARefusalComesBackAsTheErrorItCarries) {
  for (uint32_t code = 1; code <= static_cast<uint32_t>(Errc::kInternal); ++code) {
    const Error error{static_cast<Errc>(code), "why " + std::to_string(code)};
    const auto parsed = ParseResponse(*EncodeFailure(error));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), error);
  }
}

TEST(Messages, ACodeOfALaterVersionIsAnInternalErrorWithItsMessage) {
  for (const uint32_t code : {0u, 1000u, 0xffffffffu}) {
    peer::Response response;
    response.mutable_failure()->set_code(code);
    response.mutable_failure()->set_message("new");
    const auto parsed = ParseResponse(*EncodeResponse(response));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), (Error{Errc::kInternal, "new"}));
  }
}

TEST(Messages, AKindOfALaterVersionIsUnsupported) {
  // Field 1000, a string: what a newer node might send.
  const std::string later("\xc2\x3e\x02hi", 5);
  EXPECT_EQ(ParseRequest(later).error().code, Errc::kUnsupported);
  EXPECT_EQ(ParseResponse(later).error().code, Errc::kUnsupported);
  EXPECT_EQ(ParseRequest("").error().code, Errc::kUnsupported);
}

TEST(Messages, AMessageCutShortIsCorrupt) {
  peer::Request request;
  request.mutable_offer_topology()->set_topology("0123456789");
  const auto whole = EncodeRequest(request);
  for (size_t size = 1; size < whole->size(); ++size) {
    EXPECT_EQ(ParseRequest(whole->substr(0, size)).error().code, Errc::kCorrupt) << size;
  }
}

RC_GTEST_PROP(Messages, AnyBytesAreParsedOrRefusedWithoutAnException, (const std::string& bytes)) {
  const auto request = ParseRequest(bytes);
  RC_ASSERT(request || request.error().code == Errc::kCorrupt || request.error().code == Errc::kUnsupported);
  const auto response = ParseResponse(bytes);
  RC_ASSERT(response || !response.error().message.empty() || response.error().code == Errc::kInternal);
}

TEST(FittingAnswer, IsTheAnswerItselfUpToTheLimitOfAFrame) {
  const auto fits = std::make_shared<const Bytes>(kFrameBytesMax - kFrameHeaderBytes, 'x');
  EXPECT_EQ(FittingAnswer(fits), fits);
  const auto refused = ParseResponse(*FittingAnswer(std::make_shared<const Bytes>(fits->size() + 1, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace dynamo
