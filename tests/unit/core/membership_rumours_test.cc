#include <gtest/gtest.h>

#include "node/core/membership/rumours.h"

namespace dynamo {
namespace {

NodeInfo About(uint64_t id, uint64_t incarnation = 1) {
  NodeInfo info;
  info.id = NodeId{id};
  info.incarnation = incarnation;
  return info;
}

TEST(RumourQueue, GivesTheLeastOftenTakenFirst) {
  RumourQueue queue;
  queue.Add(About(1));
  queue.Add(About(2));
  EXPECT_EQ(queue.Take(1, 8)[0].id, NodeId{1});
  EXPECT_EQ(queue.Take(1, 8)[0].id, NodeId{2});
  queue.Add(About(3));
  EXPECT_EQ(queue.Take(1, 8)[0].id, NodeId{3});
  EXPECT_EQ(queue.Take(9, 8).size(), 3u);
}

TEST(RumourQueue, DropsWhatWasTakenOftenEnoughForTheSizeOfTheCluster) {
  const auto times_taken = [](size_t members) {
    RumourQueue queue;
    queue.Add(About(1));
    int times = 0;
    while (!queue.Take(5, members).empty()) ++times;
    return times;
  };
  EXPECT_EQ(times_taken(1), 3);
  EXPECT_EQ(times_taken(3), 6);
  EXPECT_EQ(times_taken(1000), 30);
}

TEST(RumourQueue, NewsReplacesWhatItHeldOfTheNodeAndCountsAfresh) {
  RumourQueue queue;
  queue.Add(About(1, 1));
  queue.Take(1, 1);
  queue.Take(1, 1);
  queue.Add(About(1, 2));
  EXPECT_EQ(queue.size(), 1u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.Take(1, 1)[0].incarnation, 2u);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(RumourQueue, GivesNothingThatWasOldNews) {
  RumourQueue queue;
  queue.Add(About(1));
  queue.Clear();
  EXPECT_TRUE(queue.Take(10, 3).empty());
  queue.Add(About(1));
  EXPECT_EQ(queue.Take(10, 3).size(), 1u);
}

TEST(RumourQueue, GivesNothingWhenItHasNothing) {
  RumourQueue queue;
  EXPECT_TRUE(queue.Take(10, 3).empty());
}

}  // namespace
}  // namespace dynamo
