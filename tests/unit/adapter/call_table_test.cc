#include "node/adapter/call_table.h"

#include <gtest/gtest.h>

namespace dynamo {
namespace {

PendingCall Call(uint64_t end_offset) { return {nullptr, 0, end_offset}; }

TEST(CallTable, GivesEachCallBackOnce) {
  CallTable calls;
  const uint64_t first = calls.Add(Call(1)), second = calls.Add(Call(2));
  EXPECT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls.Find(second)->end_offset, 2u);
  EXPECT_EQ(calls.Take(first)->end_offset, 1u);
  EXPECT_FALSE(calls.Take(first));
  EXPECT_EQ(calls.size(), 1u);
}

TEST(CallTable, ALateAnswerDoesNotFindTheCallThatTookItsPlace) {
  CallTable calls;
  const uint64_t late = calls.Add(Call(1));
  calls.Take(late);
  const uint64_t next = calls.Add(Call(2));
  EXPECT_NE(late, next);
  EXPECT_FALSE(calls.Take(late));
  EXPECT_TRUE(calls.Take(next));
}

TEST(CallTable, AForgedIdFindsNothing) {
  CallTable calls;
  calls.Add(Call(1));
  EXPECT_EQ(calls.Find(0), nullptr);
  EXPECT_EQ(calls.Find(UINT64_MAX), nullptr);
}

TEST(CallTable, TakeAllLeavesNoneAndOldIdsStayDead) {
  CallTable calls;
  const uint64_t first = calls.Add(Call(1));
  calls.Add(Call(2));
  EXPECT_EQ(calls.TakeAll().size(), 2u);
  EXPECT_EQ(calls.size(), 0u);
  calls.Add(Call(3));
  calls.Add(Call(4));
  EXPECT_FALSE(calls.Take(first));
}

}  // namespace
}  // namespace dynamo
