#include "tests/chaos/byte_flip.h"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/lib/temporary_folder.h"

namespace dynamo::chaos {
namespace {

class ByteFlipTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_.path() + "/" + name).parent_path());
    std::ofstream(folder_.path() + "/" + name, std::ios::binary) << text;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_.path() + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  Rng rng_{1};
};

TEST_F(ByteFlipTest, ChangesOneBitOfOneFileAndPutsItBack) {
  const std::string text = "all data is one of these bytes";
  Write("db/000007.sst", text);
  const auto flip = FlipByte(folder_.path(), ".sst", rng_);
  ASSERT_TRUE(flip && *flip);
  std::string after = Read("db/000007.sst");
  ASSERT_EQ(after.size(), text.size());
  int bits = 0;
  for (size_t i = 0; i < text.size(); ++i) bits += std::popcount(static_cast<uint8_t>(text[i] ^ after[i]));
  EXPECT_EQ(bits, 1);
  EXPECT_EQ(Restore(**flip), true);
  EXPECT_EQ(Read("db/000007.sst"), text);
}

TEST_F(ByteFlipTest, ReachesEveryFileOfTheKindAndNoOther) {
  Write("a.log", "123");
  Write("deep/b.log", "456");
  Write("empty.log", "");
  Write("CURRENT", "untouched");
  std::set<std::string> hit;
  for (int i = 0; i < 100; ++i) {
    const auto flip = FlipByte(folder_.path(), ".log", rng_);
    ASSERT_TRUE(flip && *flip);
    EXPECT_LT((*flip)->offset, 3u);
    hit.insert(std::filesystem::path((*flip)->path).filename());
  }
  EXPECT_EQ(hit, (std::set<std::string>{"a.log", "b.log"}));
  EXPECT_EQ(Read("CURRENT"), "untouched");
}

TEST_F(ByteFlipTest, FindsNothingWhereThereIsNothing) {
  Write("empty.sst", "");
  const auto flip = FlipByte(folder_.path(), ".sst", rng_);
  ASSERT_TRUE(flip.has_value());
  EXPECT_FALSE(flip->has_value());
}

TEST_F(ByteFlipTest, SaysThatAFileIsGone) {
  Write("a.sst", "x");
  const auto flip = FlipByte(folder_.path(), ".sst", rng_);
  ASSERT_TRUE(flip && *flip);
  std::filesystem::remove((*flip)->path);
  EXPECT_EQ(Restore(**flip), false);
}

}  // namespace
}  // namespace dynamo::chaos
