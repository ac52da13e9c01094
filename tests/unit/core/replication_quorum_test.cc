#include <gtest/gtest.h>

#include "node/core/replication/quorum.h"

namespace dynamo {
namespace {

using Which = QuorumShortfall::Which;

TEST(Quorum, WordsAreResolvedAgainstN) {
  for (uint32_t n = 1; n <= 9; ++n) {
    EXPECT_EQ(Resolve(QuorumValue::One(), {}, n), 1u);
    EXPECT_EQ(Resolve(QuorumValue::All(), {}, n), n);
    EXPECT_EQ(Resolve(QuorumValue::Quorum(), {}, n), n / 2 + 1);
    EXPECT_GT(2 * Resolve(QuorumValue::Quorum(), {}, n), n);
    EXPECT_EQ(Resolve(QuorumValue::Number(7), QuorumValue::One(), n), 7u);
  }
}

TEST(Quorum, TheDefaultIsTheBucketsAndOtherwiseAQuorum) {
  EXPECT_EQ(Resolve({}, QuorumValue::All(), 5), 5u);
  EXPECT_EQ(Resolve({}, QuorumValue::Number(2), 5), 2u);
  EXPECT_EQ(Resolve({}, {}, 5), 3u);
}

TEST(Quorum, ReadsAreValidatedAgainstN) {
  EXPECT_TRUE(Validate(ReadQuorum{3, 2, 0, 0}));
  EXPECT_TRUE(Validate(ReadQuorum{3, 3, 3, 3}));
  for (const ReadQuorum& bad : {ReadQuorum{0, 1, 0, 0}, {3, 0, 0, 0}, {3, 4, 0, 0}, {3, 2, 4, 0}, {3, 2, 0, 4}}) {
    const Status status = Validate(bad);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
  }
}

TEST(Quorum, WritesAreValidatedAgainstN) {
  EXPECT_TRUE(Validate(WriteQuorum{3, 2, 0, 0, 0}));
  EXPECT_TRUE(Validate(WriteQuorum{3, 1, 3, 3, 3}));
  for (const WriteQuorum& bad : {WriteQuorum{0, 1, 0, 0, 0},
                                 {3, 0, 0, 0, 0},
                                 {3, 4, 0, 0, 0},
                                 {3, 2, 4, 0, 0},
                                 {3, 2, 0, 4, 0},
                                 {3, 2, 0, 0, 4}}) {
    EXPECT_FALSE(Validate(bad));
  }
}

TEST(Quorum, ANumberAboveNIsRefusedInRiaksWordsFirst) {
  EXPECT_EQ(Validate(WriteQuorum{3, 5, 0, 0, 0}).error().message,
            "{n_val_violation,3} w is 5, more than the 3 replicas there are");
  EXPECT_EQ(Validate(ReadQuorum{3, 0, 0, 0}).error().message, "r is 0: it must be at least 1");
}

TEST(QuorumShortfall, SpeaksRiaksTwoTongues) {
  EXPECT_EQ(RiakTerm({Which::kW, 2, 1}), "{w_val_unsatisfied,2,1}");
  EXPECT_EQ(RiakTerm({Which::kNodeConfirms, 3, 2}), "{node_confirms_val_unsatisfied,3,2}");
  EXPECT_EQ(RiakSentence({Which::kPR, 3, 2}), "PR-value unsatisfied: 2/3");
  EXPECT_EQ(RiakSentence({Which::kNodeConfirms, 3, 2}), "node_confirms-value unsatisfied: 2/3");
}

TEST(QuorumShortfall, ItsTermIsReadBackFromAMessage) {
  for (const Which which : {Which::kR, Which::kPR, Which::kW, Which::kPW, Which::kDW, Which::kNodeConfirms}) {
    const QuorumShortfall shortfall{which, 3, 12};
    EXPECT_EQ(ParseRiakTerm(RiakTerm(shortfall)), shortfall);
    EXPECT_EQ(ParseRiakTerm(RiakTerm(shortfall) + " it may still appear later"), shortfall);
  }
}

TEST(QuorumShortfall, NothingElseIsTakenForATerm) {
  for (const char* other :
       {"", "{", "timeout", "{n_val_violation,3}", "{w_val_unsatisfied,2,1", "{w_val_unsatisfied,2}",
        "{w_val_unsatisfied,x,1}", "{w_val_unsatisfied,,}", "w_val_unsatisfied,2,1}",
        "{w_val_unsatisfied,2,99999999999}", "{w_val_unsatisfied,-2,1}"}) {
    EXPECT_EQ(ParseRiakTerm(other), std::nullopt) << other;
  }
}

TEST(NValViolation, ItsNumberIsReadBackFromAMessage) {
  EXPECT_EQ(NValViolation(3), "{n_val_violation,3}");
  EXPECT_EQ(ParseNValViolation(NValViolation(3) + " w is 5"), 3u);
  for (const char* other : {"", "{n_val_violation,}", "{n_val_violation,x}", "{n_val_violation,3", "n_val_violation,3}",
                            "{w_val_unsatisfied,2,1}"}) {
    EXPECT_EQ(ParseNValViolation(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace dynamo
