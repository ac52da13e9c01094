#include <gtest/gtest.h>

#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;
using testing::Test;

TEST(Create, MakesOneClusterOfEmptyNodes) {
  MembershipCluster cluster(3, 1);
  const auto created = cluster.Create(0, MembershipCluster::Request({0, 1, 2}));
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ((*created)->members.size(), 3u);
  EXPECT_EQ((*created)->partitions, 16u);
  EXPECT_TRUE(cluster.AllHave(*created));
  EXPECT_TRUE(cluster.AllSeeAll());
  EXPECT_FALSE(cluster[1].membership().empty_volume());
}

}  // namespace
}  // namespace dynamo
