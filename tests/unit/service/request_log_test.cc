#include "node/service/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dynamo {
namespace {

using ::testing::ElementsAre;

TimePoint At(int64_t us) { return TimePoint(Duration(us)); }
SharedBytes Answer(const std::string& text) { return std::make_shared<const Bytes>(text); }

struct Asker {
  std::vector<std::string> answers;
  Responder responder() {
    return [this](SharedBytes answer) { answers.push_back(*answer); };
  }
};

const RequestLog::RequestId kId{NodeId{1}, 77};

TEST(RequestLog, ADuplicateThatComesWhileTheFirstRunsGetsTheSameAnswer) {
  RequestLog log(10);
  Asker first, second;
  EXPECT_EQ(log.Begin(kId, At(0), At(100), first.responder()), RequestLog::Admission::kNew);
  EXPECT_EQ(log.Begin(kId, At(1), At(101), second.responder()), RequestLog::Admission::kDuplicate);
  log.Finish(kId, Answer("done"));
  EXPECT_THAT(first.answers, ElementsAre("done"));
  EXPECT_THAT(second.answers, ElementsAre("done"));
}

TEST(RequestLog, ADuplicateThatComesAfterTheAnswerGetsItAgain) {
  RequestLog log(10);
  Asker first, second;
  EXPECT_EQ(log.Begin(kId, At(0), At(100), first.responder()), RequestLog::Admission::kNew);
  log.Finish(kId, Answer("done"));
  EXPECT_EQ(log.Begin(kId, At(50), At(150), second.responder()), RequestLog::Admission::kDuplicate);
  EXPECT_THAT(second.answers, ElementsAre("done"));
}

TEST(RequestLog, ALongAnswerIsNotKeptButTheRequestIsStillKnown) {
  RequestLog log(10);
  Asker first, second;
  EXPECT_EQ(log.Begin(kId, At(0), At(100), first.responder()), RequestLog::Admission::kNew);
  log.Finish(kId, Answer(std::string(100'000, 'x')));
  EXPECT_EQ(first.answers.size(), 1u);
  EXPECT_EQ(log.Begin(kId, At(50), At(150), second.responder()), RequestLog::Admission::kDuplicate);
  EXPECT_TRUE(second.answers.empty());
}

TEST(RequestLog, RepeatsTheAnswerOfWhatItKnowsAndBeginsNothing) {
  RequestLog log(10);
  Asker first, second;
  EXPECT_FALSE(log.Repeat(kId, second.responder()));
  EXPECT_EQ(log.size(), 0u);
  EXPECT_EQ(log.Begin(kId, At(0), At(100), first.responder()), RequestLog::Admission::kNew);
  log.Finish(kId, Answer("no"));
  EXPECT_TRUE(log.Repeat(kId, second.responder()));
  EXPECT_THAT(second.answers, ElementsAre("no"));
}

TEST(RequestLog, TheSameNumberFromAnotherNodeIsAnotherRequest) {
  RequestLog log(10);
  Asker asker;
  EXPECT_EQ(log.Begin(kId, At(0), At(100), asker.responder()), RequestLog::Admission::kNew);
  EXPECT_EQ(log.Begin({NodeId{2}, 77}, At(0), At(100), asker.responder()), RequestLog::Admission::kNew);
}

TEST(RequestLog, WhatWaitedWhileTheProcessStoodStillIsStillKnownForADuplicate) {
  RequestLog log(10);
  Asker asker;
  EXPECT_EQ(log.Begin(kId, At(0), At(2'000'000), asker.responder()), RequestLog::Admission::kNew);
  // Ten seconds later another request is read first, and then the duplicate.
  EXPECT_EQ(log.Begin({NodeId{1}, 78}, At(10'000'000), At(12'000'000), asker.responder()), RequestLog::Admission::kNew);
  EXPECT_EQ(log.Begin(kId, At(10'000'001), At(12'000'000), asker.responder()), RequestLog::Admission::kDuplicate);
}

TEST(RequestLog, IsEmptiedWhileRequestsComeAndGo) {
  RequestLog log(1000);
  Asker asker;
  for (int64_t i = 0; i < 100; ++i) {
    const TimePoint now = At(i * 100'000);
    EXPECT_EQ(log.Begin({NodeId{1}, static_cast<uint64_t>(i)}, now, now + Duration(500'000), asker.responder()),
              RequestLog::Admission::kNew);
    EXPECT_LE(log.size(), 17u);  // Half a second's and one more second's.
  }
}

TEST(RequestLog, AtItsBoundNewRequestsAreRefusedAndNoneIsForgottenEarly) {
  RequestLog log(2);
  Asker asker;
  EXPECT_EQ(log.Begin({NodeId{1}, 1}, At(0), At(100), asker.responder()), RequestLog::Admission::kNew);
  EXPECT_EQ(log.Begin({NodeId{1}, 2}, At(0), At(200), asker.responder()), RequestLog::Admission::kNew);
  EXPECT_EQ(log.Begin({NodeId{1}, 3}, At(50), At(300), asker.responder()), RequestLog::Admission::kFull);
  EXPECT_EQ(log.Begin({NodeId{1}, 3}, At(101), At(300), asker.responder()), RequestLog::Admission::kNew);
  EXPECT_EQ(log.Begin({NodeId{1}, 2}, At(101), At(300), asker.responder()), RequestLog::Admission::kDuplicate);
  EXPECT_EQ(log.size(), 2u);
}

}  // namespace
}  // namespace dynamo
