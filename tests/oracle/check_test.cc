#include "tests/oracle/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dynamo::oracle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kKey[] = "cart";

// Writes a history down in few words.
class OracleCheck : public ::testing::Test {
 protected:
  WriteId Put(std::vector<WriteId> context, Outcome outcome = Outcome::kOk, bool tombstone = false) {
    const WriteId id = history_.BeginPut(1, kKey, {std::move(context), tombstone});
    if (outcome != Outcome::kUnknown) history_.EndWrite(id, outcome);
    return id;
  }
  WriteId Delete(std::optional<Context> context, Outcome outcome = Outcome::kOk) {
    const WriteId id = history_.BeginDelete(1, kKey, std::move(context));
    if (outcome != Outcome::kUnknown) history_.EndWrite(id, outcome);
    return id;
  }
  void Read(std::vector<WriteId> values) { history_.AddRead(1, kKey, history_.Now(), {values, {}, false, {}}); }
  void Final(std::vector<WriteId> values, bool tombstone = false, const std::string& observer = "node 1") {
    history_.AddFinalRead(kKey, observer, {std::move(values), {}, tombstone, {}});
  }
  std::vector<std::string> Broken() const {
    std::vector<std::string> properties;
    for (const Violation& violation : Check(history_)) properties.push_back(violation.property);
    return properties;
  }
  History history_;
};

TEST_F(OracleCheck, AcceptsAChainOfWritesThatEndsInTheLast) {
  const WriteId a = Put({}), b = Put({a}), c = Put({b});
  Read({a});
  Final({c});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, AcceptsConcurrentWritesAsSiblings) {
  const WriteId a = Put({}), b = Put({}), c = Put({a});
  Read({a, b});
  Final({b, c});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, FindsALostWrite) {
  const WriteId a = Put({}), b = Put({});
  (void)a;
  Final({b});
  EXPECT_THAT(Broken(), ElementsAre("P2"));
}

TEST_F(OracleCheck, FindsALossBehindAWriteThatWasNeverAcknowledged) {
  const WriteId a = Put({});
  Put({a}, Outcome::kUnknown);
  Final({});
  EXPECT_THAT(Broken(), ElementsAre("P1"));
}

TEST_F(OracleCheck, AWriteOfUnknownFateMayOrMayNotBeThere) {
  const WriteId a = Put({});
  const WriteId b = Put({a}, Outcome::kUnknown);
  Final({b});
  EXPECT_THAT(Broken(), IsEmpty());
  History other = history_;
  other.AddFinalRead(kKey, "node 1", {{a}, {}, false, {}});
  EXPECT_THAT(Check(other), IsEmpty());
}

TEST_F(OracleCheck, FindsAWriteSupersededWithoutCause) {
  const WriteId a = Put({}), b = Put({}), c = Put({a});
  (void)b;
  Final({c});
  EXPECT_THAT(Broken(), ElementsAre("P2"));
}

TEST_F(OracleCheck, FindsAnInventedValue) {
  Put({});
  history_.AddRead(1, kKey, history_.Now(), {{}, {"no such thing"}, false, {}});
  EXPECT_THAT(Broken(), ElementsAre("P3"));
}

TEST_F(OracleCheck, FindsAValueOfAnotherKey) {
  const WriteId other = history_.BeginPut(1, "other", {});
  Read({other});
  EXPECT_THAT(Broken(), ElementsAre("P3"));
}

TEST_F(OracleCheck, FindsAWriteSeenThoughItFailedForCertain) {
  const WriteId a = Put({}, Outcome::kFailed);
  Read({a});
  EXPECT_THAT(Broken(), ElementsAre("P14"));
}

TEST_F(OracleCheck, FindsFalseSiblings) {
  const WriteId a = Put({}), b = Put({a});
  Read({a, b});
  EXPECT_THAT(Broken(), ElementsAre("P4"));
}

TEST_F(OracleCheck, FindsOneWriteMintedTwice) {
  const WriteId a = Put({});
  Read({a, a});
  EXPECT_THAT(Broken(), ElementsAre("P4"));
}

TEST_F(OracleCheck, FindsWhatWasDeletedComingBack) {
  const WriteId a = Put({});
  Delete(Context{{a}, false});
  Final({a}, /*tombstone=*/true);
  EXPECT_THAT(Broken(), ElementsAre("P5"));
}

TEST_F(OracleCheck, FindsWhatWasSupersededComingBack) {
  const WriteId a = Put({}), b = Put({a});
  Put({b});
  Final({a});
  EXPECT_THAT(Broken(), ::testing::Contains("P5"));
}

TEST_F(OracleCheck, ADeleteExcusesWhatItCoversAndNothingElse) {
  const WriteId a = Put({});
  Put({});
  Delete(Context{{a}, false});
  Final({}, /*tombstone=*/true);
  EXPECT_THAT(Broken(), ElementsAre("P2"));
}

TEST_F(OracleCheck, ADeleteThatLeftNoTraceExcusesNothing) {
  const WriteId a = Put({});
  Delete(Context{{a}, false}, Outcome::kUnknown);
  Final({}, /*tombstone=*/false);
  EXPECT_THAT(Broken(), ElementsAre("P1"));
}

TEST_F(OracleCheck, ADeleteMayHaveLeftNoTraceOnceItsTombstoneWasReaped) {
  const WriteId a = Put({});
  Delete(Context{{a}, false});
  history_.OnReaped(kKey);
  Final({}, /*tombstone=*/false);
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, NodesAgreeWhereOneWasReadBeforeATombstoneWasReapedAndOneAfter) {
  const WriteId a = Put({});
  Delete(Context{{a}, false});
  Final({}, /*tombstone=*/true, "node 1");
  Final({}, /*tombstone=*/false, "node 2");
  EXPECT_THAT(Broken(), ElementsAre("P6"));
  history_.OnReaped(kKey);
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, ReapingExcusesNothingThatWasNotDeletedBefore) {
  const WriteId a = Put({});
  history_.OnReaped(kKey);
  history_.OnReaped("another key");
  Final({}, /*tombstone=*/false);
  EXPECT_THAT(Broken(), ElementsAre("P2"));
  Delete(Context{{a}, false});
  EXPECT_THAT(Broken(), ElementsAre("P1"));
}

TEST_F(OracleCheck, WhatWasDeletedDoesNotComeBackAfterItsTombstoneWasReaped) {
  const WriteId a = Put({});
  Delete(Context{{a}, false});
  history_.OnReaped(kKey);
  Final({a});
  EXPECT_THAT(Broken(), ElementsAre("P5"));
}

TEST_F(OracleCheck, ABlindDeleteExcusesWhatItMayHaveFound) {
  Put({});
  Delete(std::nullopt);
  Final({}, true);
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, ABlindDeleteDoesNotExcuseWhatCameAfterIt) {
  Delete(std::nullopt);
  Put({});
  Final({}, true);
  EXPECT_THAT(Broken(), ElementsAre("P2"));
}

TEST_F(OracleCheck, ABlindDeleteOfUnknownFateMayRunAtAnyLaterTime) {
  const WriteId remove = Delete(std::nullopt, Outcome::kUnknown);
  history_.EndWrite(remove, Outcome::kUnknown);
  Put({});
  Final({}, true);
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, AWriteThatSawATombstoneCoversWhatWasDeleted) {
  const WriteId a = Put({});
  Delete(Context{{a}, false});
  const WriteId b = Put({}, Outcome::kOk, /*tombstone=*/true);
  Final({b});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleCheck, FindsObserversThatDisagree) {
  const WriteId a = Put({}), b = Put({}, Outcome::kUnknown);
  Final({a, b}, false, "node 1");
  Final({a}, false, "node 2");
  EXPECT_THAT(Broken(), ElementsAre("P6"));
}

class OracleLastWriter : public OracleCheck {
 protected:
  OracleLastWriter() { history_.SetPolicy(kKey, Policy::kLastWriterWins); }
};

TEST_F(OracleLastWriter, ConcurrentWritesMayLose) {
  const WriteId a = Put({}), b = Put({});
  (void)a;
  Final({b});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleLastWriter, FindsALaterWriteThatLost) {
  const WriteId a = Put({});
  Put({a});
  Final({a});
  EXPECT_THAT(Broken(), ElementsAre("P2"));
}

TEST_F(OracleLastWriter, FindsSiblings) {
  const WriteId a = Put({}), b = Put({});
  Read({a, b});
  EXPECT_THAT(Broken(), ElementsAre("P4"));
}

TEST_F(OracleLastWriter, FindsThatAllIsGone) {
  Put({});
  Final({});
  EXPECT_THAT(Broken(), ElementsAre("P1"));
}

TEST_F(OracleLastWriter, FindsThatNotTheHighestWon) {
  const WriteId high = history_.BeginPut(1, kKey, {});
  history_.EndWrite(high, Outcome::kOk, LwwOrder{20, 1, 1});
  const WriteId low = Put({});
  history_.AddFinalRead(kKey, "node 1", {{low}, {}, false, LwwOrder{10, 1, 1}});
  EXPECT_THAT(Broken(), ElementsAre("P2"));
}

TEST(OracleValue, NamesItsWriteAndVerifiesEveryByte) {
  const std::string value = MakeValue(42, 100);
  EXPECT_EQ(value.size(), 100u);
  EXPECT_EQ(ParseValue(value), 42u);
  for (size_t i = 0; i < value.size(); ++i) {
    std::string altered = value;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_EQ(ParseValue(altered), std::nullopt) << i;
    EXPECT_EQ(ParseValue(value.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(ParseValue(value + "x"), std::nullopt);
}

TEST(OracleOutcome, OnlyErrorsThatPromiseItMeanThatNothingChanged) {
  EXPECT_EQ(OutcomeOf(Errc::kTimeout), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf(Errc::kQuorumUnmet), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf(Errc::kUnavailable), Outcome::kFailed);
  EXPECT_EQ(OutcomeOf(Errc::kOverloaded), Outcome::kFailed);
}

}  // namespace
}  // namespace dynamo::oracle
