// Clients that lie, flood and repeat themselves.
#include "node/core/version/context.h"
#include "tests/sim/faults/fixture.h"

namespace dynamo::sim {
namespace {

using ::testing::ElementsAre;

class ClientFaults : public FaultScenario {
 protected:
  static SimClusterConfig Config() {
    SimClusterConfig config = WithoutMemory(3, 3);
    config.service.siblings_max = 5;
    config.service.object_bytes_max = 1000;
    return config;
  }
  ClientFaults() { Make(Config()); }
};

TEST_F(ClientFaults, AContextWithAnyBitAlteredIsRefusedAndChangesNothing) {
  Write("value");
  const Bytes context = GetAt(owner(0))->context;
  for (size_t bit = 0; bit < context.size() * 8; ++bit) {
    Bytes forged = context;
    forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ (1 << (bit % 8)));
    const auto put = PutAt(bit % 3, "forged", forged);
    ASSERT_FALSE(put.has_value()) << "bit " << bit;
    ASSERT_EQ(put.error().code, Errc::kBadContext);
  }
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 2}), ElementsAre("value"));
}

TEST_F(ClientFaults, ACutContextIsRefusedAndChangesNothing) {
  Write("value");
  const Bytes context = GetAt(owner(0))->context;
  for (size_t length = 1; length < context.size(); ++length) {
    EXPECT_EQ(PutAt(0, "forged", context.substr(0, length)).error().code, Errc::kBadContext);
  }
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 2}), ElementsAre("value"));
}

TEST_F(ClientFaults, AContextOfAnotherKeyIsRefusedByAPutAndByADelete) {
  Write("value");
  const Bytes context = GetAt(owner(0))->context;
  PutRequest put;
  put.key = {"siblings", "bucket", "another"};
  put.context = context;
  auto call = cluster().Put(0, put, std::chrono::seconds(10));
  const auto put_reply = quiet_->world().Await(cluster().clients(), std::move(call));
  EXPECT_EQ(put_reply.error().code, Errc::kBadContext);
  DeleteRequest remove;
  remove.key = put.key;
  remove.context = context;
  auto remove_call = cluster().Delete(0, remove, std::chrono::seconds(10));
  const Status removed = quiet_->world().Await(cluster().clients(), std::move(remove_call));
  EXPECT_EQ(removed.error().code, Errc::kBadContext);
}

TEST_F(ClientFaults, AHugeContextIsRefusedWhetherItBeginsRightOrNot) {
  Write("value");
  Bytes huge = GetAt(owner(0))->context;
  huge.resize(16u << 20, '\xff');
  EXPECT_EQ(PutAt(0, "forged", huge).error().code, Errc::kBadContext);
  EXPECT_EQ(PutAt(0, "forged", Bytes(ContextSigner::kContextBytesMax, '\1')).error().code, Errc::kBadContext);
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 2}), ElementsAre("value"));
}

TEST_F(ClientFaults, AnOversizedValueIsRefusedAndChangesNothing) {
  Write("value");
  EXPECT_EQ(PutAt(0, std::string(1001, 'x')).error().code, Errc::kTooLarge);
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 2}), ElementsAre("value"));
}

TEST_F(ClientFaults, AFloodOfBlindPutsEndsAtTheLimitAndCanBeResolved) {
  size_t taken = 0;
  for (int i = 0; i < 20; ++i) {
    const auto put = PutAt(owner(0), std::to_string(i));
    if (!put) EXPECT_EQ(put.error().code, Errc::kTooManySiblings);
    taken += put.has_value() ? 1 : 0;
  }
  EXPECT_EQ(taken, 5u);
  EXPECT_EQ(ValuesAt(owner(1), {3, 3, 2}).size(), 5u);
  Write("resolved");
  EXPECT_THAT(ValuesAt(owner(1), {3, 3, 2}), ElementsAre("resolved"));
}

TEST_F(ClientFaults, AStaleContextMakesASiblingAndLosesNothing) {
  Write("first");
  const Bytes stale = GetAt(owner(0))->context;
  Write("second");
  EXPECT_TRUE(PutAt(owner(1), "stale", stale).has_value());
  EXPECT_THAT(ValuesAt(owner(2), {3, 3, 2}), ::testing::UnorderedElementsAre("second", "stale"));
}

TEST_F(ClientFaults, OneWriteSentThroughAllNodesAtOnceIsThereOncePerNodeThatTookIt) {
  Write("before");
  const Bytes context = GetAt(owner(0))->context;
  for (size_t index = 0; index < 3; ++index) EXPECT_TRUE(PutAt(index, "again", context).has_value());
  EXPECT_THAT(ValuesAt(owner(0), {3, 3, 2}), ElementsAre("again", "again", "again"));
}

}  // namespace
}  // namespace dynamo::sim
