#include "tests/oracle/sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dynamo::oracle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kBasket[] = "basket";

class OracleSessions : public ::testing::Test {
 protected:
  WriteId Begin(std::vector<WriteId> context) { return history_.BeginPut(1, kBasket, {std::move(context), false}); }
  WriteId Put(std::vector<WriteId> context, Outcome outcome = Outcome::kOk, std::optional<LwwOrder> order = {}) {
    const WriteId id = Begin(std::move(context));
    history_.EndWrite(id, outcome, order);
    return id;
  }
  void Delete(std::vector<WriteId> context) {
    history_.EndWrite(history_.BeginDelete(1, kBasket, Context{std::move(context), false}), Outcome::kOk);
  }
  void DeleteBlindly() { history_.EndWrite(history_.BeginDelete(1, kBasket, std::nullopt), Outcome::kOk); }
  void Read(std::vector<WriteId> values, bool tombstone = false, std::optional<LwwOrder> order = {}) {
    ReadSince(history_.Now(), std::move(values), tombstone, order);
  }
  void ReadSince(uint64_t begun, std::vector<WriteId> values, bool tombstone = false,
                 std::optional<LwwOrder> order = {}) {
    history_.AddRead(2, kBasket, begun, {std::move(values), {}, tombstone, order});
  }
  static std::vector<std::string> Properties(const std::vector<Violation>& violations) {
    std::vector<std::string> properties;
    properties.reserve(violations.size());
    for (const Violation& violation : violations) properties.push_back(violation.property);
    return properties;
  }
  std::vector<std::string> Broken() const { return Properties(CheckSessions(history_)); }
  std::vector<std::string> BrokenLoops(size_t clients) const {
    return Properties(CheckLoops(history_, kBasket, clients));
  }

  History history_;
};

TEST_F(OracleSessions, AcceptsAReadThatShowsTheAcknowledgedWriteOrALaterOne) {
  const WriteId first = Put({});
  Read({first});
  const WriteId second = Put({first});
  Read({second});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleSessions, FindsAReadWithoutWhatWasAcknowledgedBeforeItBegan) {
  Put({});
  Read({});
  EXPECT_THAT(Broken(), ElementsAre("P7"));
}

TEST_F(OracleSessions, AReadThatBeganBeforeTheAcknowledgementMayMissTheWrite) {
  const uint64_t begun = history_.Now();
  Put({});
  ReadSince(begun, {});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleSessions, PromisesNothingOfWritesThatFailedOrAreUnknown) {
  Put({}, Outcome::kFailed);
  Begin({});
  Read({});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleSessions, FindsWhatAnAcknowledgedWriteHasSuperseded) {
  const WriteId first = Put({}), second = Put({first});
  Read({first, second});
  EXPECT_THAT(Broken(), ElementsAre("P7"));
}

TEST_F(OracleSessions, AConcurrentSiblingAloneDoesNotCoverAnAcknowledgedWrite) {
  Put({});
  const WriteId other = Put({});
  Read({other});
  EXPECT_THAT(Broken(), ElementsAre("P7"));
}

TEST_F(OracleSessions, ADeleteThatMayHaveRemovedAWriteCoversItIfItIsSeen) {
  const WriteId first = Put({});
  Delete({first});
  Read({}, /*tombstone=*/true);
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleSessions, ADeleteThatWasReapedBeforeTheReadCoversWhatItRemoved) {
  Put({});
  DeleteBlindly();
  history_.OnReaped(kBasket);
  Read({});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleSessions, AReapingAfterTheReadExcusesNothing) {
  Put({});
  DeleteBlindly();
  Read({});
  history_.OnReaped(kBasket);
  EXPECT_THAT(Broken(), ElementsAre("P7"));
}

TEST_F(OracleSessions, OfLastWriterWinsAnyValueNotOlderCovers) {
  history_.SetPolicy(kBasket, Policy::kLastWriterWins);
  Put({}, Outcome::kOk, LwwOrder{10, 1, 1});
  const WriteId later = Put({}, Outcome::kOk, LwwOrder{20, 1, 2});
  Read({later}, false, LwwOrder{20, 1, 2});
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(OracleSessions, OfLastWriterWinsFindsWhatIsOlderThanTheAcknowledged) {
  history_.SetPolicy(kBasket, Policy::kLastWriterWins);
  const WriteId earlier = Put({}, Outcome::kOk, LwwOrder{10, 1, 1});
  Put({}, Outcome::kOk, LwwOrder{20, 1, 2});
  Read({earlier}, false, LwwOrder{10, 1, 1});
  EXPECT_THAT(Broken(), ElementsAre("P7"));
}

TEST_F(OracleSessions, ClientsThatReadBeforeTheyWriteMayEachLeaveOneSibling) {
  const WriteId a = Put({}), b = Put({});
  Read({a, b});
  EXPECT_THAT(BrokenLoops(2), IsEmpty());
  EXPECT_THAT(BrokenLoops(1), ElementsAre("P4"));
}

TEST_F(OracleSessions, AWriteOfUnknownFateMayBeOneSiblingMore) {
  const WriteId a = Put({});
  const WriteId b = Begin({a});
  Read({a, b});
  EXPECT_THAT(BrokenLoops(1), IsEmpty());
}

TEST_F(OracleSessions, AnUnknownWriteThatBeganLaterExcusesNothing) {
  const WriteId a = Put({}), b = Put({});
  Read({a, b});
  Begin({a, b});
  EXPECT_THAT(BrokenLoops(1), ElementsAre("P4"));
}

}  // namespace
}  // namespace dynamo::oracle
