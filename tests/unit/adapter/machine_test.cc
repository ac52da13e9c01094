#include "node/adapter/machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace dynamo {
namespace {

class MachineTest : public ::testing::Test {
 protected:
  MachineTest() { std::filesystem::create_directories(folder_); }
  ~MachineTest() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& file, const std::string& text) { std::ofstream(folder_ + "/" + file) << text; }

  std::string folder_ = ::testing::TempDir() + "/machine_test_" + std::to_string(getpid());
};

TEST(ParseCpuMax, RoundsUpToWholeCores) {
  EXPECT_EQ(ParseCpuMax("200000 100000\n"), 2u);
  EXPECT_EQ(ParseCpuMax("150000 100000\n"), 2u);
  EXPECT_EQ(ParseCpuMax("1000 100000"), 1u);
}

TEST(ParseCpuMax, NoLimitOrNonsenseIsNone) {
  for (const char* text : {"max 100000\n", "", "100000", "100000 0", "0 100000", "x y", "100000  1"}) {
    EXPECT_EQ(ParseCpuMax(text), std::nullopt) << text;
  }
}

TEST(ParseCpuQuota, RoundsUpToWholeCoresToo) {
  EXPECT_EQ(ParseCpuQuota("150000\n", "100000\n"), 2u);
  EXPECT_EQ(ParseCpuQuota("50000", "100000"), 1u);
}

TEST(ParseCpuQuota, NoLimitOrNonsenseIsNone) {
  EXPECT_EQ(ParseCpuQuota("-1\n", "100000\n"), std::nullopt);
  EXPECT_EQ(ParseCpuQuota("100000", "0"), std::nullopt);
  EXPECT_EQ(ParseCpuQuota("", ""), std::nullopt);
}

TEST_F(MachineTest, CoresAreBoundedByTheContainer) {
  Write("cpu.max", "100000 100000\n");
  EXPECT_EQ(UsableCores(folder_), 1u);
  Write("cpu.max", "max 100000\n");
  EXPECT_GE(UsableCores(folder_), 1u);
}

TEST_F(MachineTest, MemoryIsTheContainersLimit) {
  EXPECT_EQ(MemoryLimitBytes(folder_), std::nullopt);
  Write("memory.max", "max\n");
  EXPECT_EQ(MemoryLimitBytes(folder_), std::nullopt);
  Write("memory.max", "268435456\n");
  EXPECT_EQ(MemoryLimitBytes(folder_), 268435456u);
}

TEST_F(MachineTest, LimitsOfVersionOneCountToo) {
  std::filesystem::create_directories(folder_ + "/cpu");
  std::filesystem::create_directories(folder_ + "/memory");
  Write("cpu/cpu.cfs_period_us", "100000\n");
  Write("cpu/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(UsableCores(folder_), 1u);
  Write("memory/memory.limit_in_bytes", "9223372036854771712\n");  // What the kernel shows for none.
  EXPECT_EQ(MemoryLimitBytes(folder_), std::nullopt);
  Write("memory/memory.limit_in_bytes", "134217728\n");
  EXPECT_EQ(MemoryLimitBytes(folder_), 134217728u);
}

}  // namespace
}  // namespace dynamo
