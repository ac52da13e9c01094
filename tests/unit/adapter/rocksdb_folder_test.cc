#include "node/adapter/rocksdb_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/unit/adapter/rocksdb_fixture.h"

namespace dynamo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Error ErrorOf(const std::string& path) {
  Result<DataFolder> opened = DataFolder::Open(path);
  return opened ? Error{Errc::kInternal, "it opened"} : opened.error();
}

// Refused with `code` and words that name the folder and `hint`, and left as it was.
void ExpectRefused(const TemporaryFolder& folder, Errc code, const std::string& hint) {
  const auto before = ContentsOf(folder.path());
  const Error error = ErrorOf(folder.path());
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_THAT(error.message, HasSubstr(folder.path()));
  EXPECT_THAT(error.message, HasSubstr(hint));
  EXPECT_EQ(ContentsOf(folder.path()), before);
}

TEST(DataFolder, AMissingFolderIsMadeAndMarked) {
  TemporaryFolder parent;
  const std::string path = parent.path() + "/a/b";
  Result<DataFolder> folder = DataFolder::Open(path);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_TRUE(folder->fresh());
  EXPECT_EQ(ReadFile(path + "/FORMAT"), "dynamo-data 1 creating\n");
  ASSERT_TRUE(folder->MarkReady());
  EXPECT_FALSE(folder->fresh());
  EXPECT_EQ(ReadFile(path + "/FORMAT"), "dynamo-data 1\n");
}

TEST(DataFolder, AReadyFolderIsNotFreshAgain) {
  TemporaryFolder folder;
  ASSERT_TRUE(DataFolder::Open(folder.path())->MarkReady());
  EXPECT_FALSE(DataFolder::Open(folder.path())->fresh());
}

TEST(DataFolder, AStartThatWasCutShortIsBegunAgain) {
  TemporaryFolder folder;
  (void)DataFolder::Open(folder.path());
  WriteFile(folder.path() + "/FORMAT.new", "dyn");
  fs::create_directory(folder.path() + "/store");
  EXPECT_TRUE(DataFolder::Open(folder.path())->fresh());

  TemporaryFolder earlier;
  WriteFile(earlier.path() + "/LOCK", "1\n");
  WriteFile(earlier.path() + "/FORMAT.new", "");
  EXPECT_TRUE(DataFolder::Open(earlier.path())->fresh());
}

TEST(DataFolder, ANewVolumeWithLostAndFoundIsEmpty) {
  TemporaryFolder folder;
  fs::create_directory(folder.path() + "/lost+found");
  EXPECT_TRUE(DataFolder::Open(folder.path()));
}

TEST(DataFolder, ForeignFilesAreRefused) {
  TemporaryFolder folder;
  WriteFile(folder.path() + "/thesis.tex", "years of work");
  ExpectRefused(folder, Errc::kInvalidArgument, "thesis.tex");
}

TEST(DataFolder, AnotherProgramsDatabaseIsRefused) {
  TemporaryFolder folder;
  WriteFile(folder.path() + "/CURRENT", "MANIFEST-000001\n");
  WriteFile(folder.path() + "/LOCK", "");
  ExpectRefused(folder, Errc::kInvalidArgument, "CURRENT");
}

TEST(DataFolder, ANewerFormatIsRefused) {
  TemporaryFolder folder;
  WriteFile(folder.path() + "/FORMAT", "dynamo-data 2\n");
  ExpectRefused(folder, Errc::kUnsupported, "format 2");
}

TEST(DataFolder, AMarkThatMakesNoSenseIsRefused) {
  for (const char* mark : {"", "\n", "dynamo-data\n", "dynamo-data x\n", "dynamo-data 0\n", "dynamo-data -1\n",
                           "other 1\n", "dynamo-data 1 extra\n", "dynamo-data 99999999999999999999\n"}) {
    TemporaryFolder folder;
    WriteFile(folder.path() + "/FORMAT", mark);
    ExpectRefused(folder, Errc::kCorrupt, "FORMAT");
  }
}

TEST(DataFolder, OneProcessAtATimeAndTheOtherIsNamed) {
  TemporaryFolder folder;
  Result<DataFolder> first = DataFolder::Open(folder.path());
  ASSERT_TRUE(first);
  ExpectRefused(folder, Errc::kUnavailable, "pid " + std::to_string(::getpid()));
  DataFolder moved = std::move(*first);
  ExpectRefused(folder, Errc::kUnavailable, "another dynamo-node");
  {
    const DataFolder gone = std::move(moved);
  }
  EXPECT_TRUE(DataFolder::Open(folder.path()));
}

TEST(DataFolder, AFileIsNoFolder) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/file";
  WriteFile(file, "contents");
  EXPECT_EQ(ErrorOf(file).code, Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(file + "/below").code, Errc::kStorage);
  EXPECT_EQ(ReadFile(file), "contents");
}

// As a user who may not write there, even when the tests run as root.
class AsNobody {
 public:
  AsNobody() : root_(::geteuid() == 0) {
    if (root_) changed_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (root_ && ::seteuid(0) != 0) std::abort();
  }
  bool ok() const { return !root_ || changed_; }

 private:
  bool root_;
  bool changed_ = false;
};

TEST(DataFolder, AFolderThatMayNotBeWrittenIsAnErrorThatSaysSo) {
  TemporaryFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  Error error;
  {
    AsNobody nobody;
    ASSERT_TRUE(nobody.ok());
    error = ErrorOf(folder.path());
  }
  EXPECT_EQ(error.code, Errc::kStorage);
  EXPECT_THAT(error.message, HasSubstr("Permission denied"));
  EXPECT_TRUE(ContentsOf(folder.path()).empty());
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
}

}  // namespace
}  // namespace dynamo
