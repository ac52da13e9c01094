// The simulated storage under the storage contract.
#include "tests/contract/storage_contract.h"
#include "tests/sim/disk.h"
#include "tests/sim/storage.h"
#include "tests/sim/world.h"

namespace dynamo::sim {
namespace {

class SimStorageHarness : public StorageHarness {
 public:
  SimStorageHarness() : disk_(&world_, world_.MakeRng("disk"), SimDiskConfig{}) { Open(); }
  ~SimStorageHarness() override { Crash(); }

  Storage& storage(ShardIndex shard) override { return shards_[shard]->storage; }
  Scope& scope(ShardIndex shard) override { return shards_[shard]->scope; }
  void RunUntil(const std::function<bool()>& done) override {
    ASSERT_TRUE(world_.RunUntil(done, world_.now() + std::chrono::minutes(1)));
  }
  void CrashAndReopen() override {
    Crash();
    Open();
  }
  void SetFull(bool full) override { disk_.SetFull(full); }
  void FailReads(bool fail) override { disk_.SetReadErrors(fail ? 1 : 0); }

 private:
  struct Shard {
    Shard(SimWorld* world, ProcessId process, SimDisk* disk)
        : scope(world->executor()), storage(world, process, &scope, disk) {}
    Scope scope;
    SimStorage storage;
  };

  void Open() {
    process_ = world_.StartProcess();
    disk_.Attach(process_);
    for (int i = 0; i < 2; ++i) shards_.push_back(std::make_unique<Shard>(&world_, process_, &disk_));
  }
  void Crash() {
    for (auto& shard : shards_) shard->scope.Kill();
    world_.Settle();
    world_.KillProcess(process_);
    shards_.clear();
    disk_.Crash();
  }

  SimWorld world_{1};
  SimDisk disk_;
  ProcessId process_ = kNobody;
  std::vector<std::unique_ptr<Shard>> shards_;
};

std::unique_ptr<StorageHarness> MakeHarness() { return std::make_unique<SimStorageHarness>(); }

}  // namespace
}  // namespace dynamo::sim

namespace dynamo {
INSTANTIATE_TEST_SUITE_P(Simulated, StorageContract, ::testing::Values(&sim::MakeHarness));
}  // namespace dynamo
