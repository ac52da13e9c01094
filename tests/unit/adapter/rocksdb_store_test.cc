#include "node/adapter/rocksdb_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/unit/adapter/rocksdb_fixture.h"

namespace dynamo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A closed store with some data in tables and some in the log.
class DamagedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fixture_.Open());
    ASSERT_TRUE(fixture_.shard().Put(ColumnFamily::kObjects, "flushed", std::string(10'000, 'v')));
    fixture_.Flush();
    ASSERT_TRUE(fixture_.shard().Put(ColumnFamily::kObjects, "logged", "v"));
    fixture_.Close();
  }

  std::string OneFile(const std::string& part) {
    for (const std::string& file : FilesIn(fixture_.folder().path() + "/store", "")) {
      if (fs::path(file).filename().string().find(part) != std::string::npos) return file;
    }
    ADD_FAILURE() << "no file named like " << part;
    return {};
  }

  void ExpectDamage() {
    const auto before = ContentsOf(fixture_.folder().path());
    const Status opened = fixture_.Open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Errc::kCorrupt) << opened.error().message;
    EXPECT_THAT(opened.error().message, HasSubstr(fixture_.folder().path()));
    auto after = ContentsOf(fixture_.folder().path());
    EXPECT_EQ(after, before);
  }

  StoreFixture fixture_;
};

TEST_F(DamagedStore, OpensWhileItIsWhole) {
  ASSERT_TRUE(fixture_.Open());
  EXPECT_EQ(Text(fixture_.shard().Get(ColumnFamily::kObjects, "logged")), "v");
}

TEST_F(DamagedStore, AMissingStoreIsNeverTakenForANewOne) {
  fs::remove_all(fixture_.folder().path() + "/store");
  ExpectDamage();
}

TEST_F(DamagedStore, AMissingCurrentFileIsReported) {
  fs::remove(OneFile("CURRENT"));
  ExpectDamage();
}

TEST_F(DamagedStore, ACurrentFileThatNamesNoManifestIsReported) {
  WriteFile(OneFile("CURRENT"), "MANIFEST-999999\n");
  ExpectDamage();
}

TEST_F(DamagedStore, AFlippedBitInTheManifestIsReported) {
  const std::string manifest = OneFile("MANIFEST");
  std::string bytes = ReadFile(manifest);
  bytes[bytes.size() / 2] ^= 0x10;
  WriteFile(manifest, bytes);
  ExpectDamage();
}

TEST_F(DamagedStore, AMissingTableIsReported) {
  fs::remove(OneFile(".sst"));
  ExpectDamage();
}

TEST_F(DamagedStore, ATableThatWasCutIsReported) {
  const std::string table = OneFile(".sst");
  fs::resize_file(table, fs::file_size(table) / 2);
  ExpectDamage();
}

TEST(RocksdbStore, ASecondOneOnTheSameFolderIsRefused) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  Metrics metrics;
  const auto second = RocksdbStore::Open(fixture.settings(), Logger(), &metrics);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kUnavailable);
}

TEST(RocksdbStore, CreationThatWasCutShortIsFinishedByTheNextStart) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  fixture.Close();
  // As if it had ended before the mark was made final.
  WriteFile(fixture.folder().path() + "/FORMAT", "dynamo-data 1 creating\n");
  fs::remove(fixture.folder().path() + "/store/CURRENT");
  ASSERT_TRUE(fixture.Open());
  EXPECT_TRUE(fixture.shard().Put(ColumnFamily::kObjects, "k", "v"));
}

TEST(RocksdbStore, TheEngineLeavesNoLogFilesOfItsOwn) {
  StoreFixture fixture;
  ASSERT_TRUE(fixture.Open());
  fixture.Close();
  EXPECT_FALSE(fs::exists(fixture.folder().path() + "/store/LOG"));
}

TEST(StoreMemory, FollowsTheBudget) {
  const StoreMemory standard;
  EXPECT_EQ(standard.write_buffer_bytes, 32u << 20);
  EXPECT_EQ(standard.block_cache_bytes, 32u << 20);
  const StoreMemory small = StoreMemory::FitInto(128 << 20);
  EXPECT_LE(kWriteBuffersMax * small.write_buffer_bytes + small.block_cache_bytes, (128u << 20) / 4);
  const StoreMemory large = StoreMemory::FitInto(uint64_t{16} << 30);
  EXPECT_EQ(large.write_buffer_bytes, 32u << 20);
  EXPECT_EQ(large.block_cache_bytes, uint64_t{1} << 30);
  EXPECT_GT(StoreMemory::FitInto(0).write_buffer_bytes, 0u);
}

}  // namespace
}  // namespace dynamo
