#include "common/users/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lib/temporary_folder.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UserKeeperTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(file_, std::ios::trunc) << text; }
  Result<std::unique_ptr<UserKeeper>> Open() {
    return UserKeeper::Open(file_, &metrics_, Logger(LogLevel::kInfo, [this](LogLevel, std::string_view line) {
                              log_.emplace_back(line);
                            }));
  }
  uint64_t Reloads(const char* outcome) {
    return metrics_.counter("dynamo_auth_reloads_total", "", {{"outcome", outcome}}).value();
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_.path() + "/users.yaml";
  Metrics metrics_;
  std::vector<std::string> log_;
};

TEST_F(UserKeeperTest, DoesNotOpenAFileThatIsMissingOrWrong) {
  EXPECT_FALSE(Open());
  Write("users: none\n");
  const auto keeper = Open();
  ASSERT_FALSE(keeper);
  EXPECT_THAT(keeper.error().message, HasSubstr("users.yaml:1: users: wants a list"));
}

TEST_F(UserKeeperTest, TakesAFileThatHasChanged) {
  Write("users: [{name: a, password: p}]\n");
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  const auto before = (*keeper)->users();
  (*keeper)->Look();
  EXPECT_EQ((*keeper)->users(), before);
  Write("users: [{name: b, password: p}]\n");
  (*keeper)->Look();
  EXPECT_EQ((*keeper)->users()->Find("a"), nullptr);
  EXPECT_NE((*keeper)->users()->Find("b"), nullptr);
  EXPECT_NE(before->Find("a"), nullptr);
  EXPECT_EQ(Reloads("ok"), 1u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("users_reloaded")));
}

TEST_F(UserKeeperTest, KeepsTheUsersFromBeforeWhereTheFileIsWrongAndSaysSoOnce) {
  Write("users: [{name: a, password: p}]\n");
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  Write("users: [{name: b}]\n");
  (*keeper)->Look();
  (*keeper)->Look();
  EXPECT_NE((*keeper)->users()->Find("a"), nullptr);
  EXPECT_EQ(Reloads("failed"), 1u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("users_reload_failed")));
  std::filesystem::remove(file_);
  (*keeper)->Look();
  (*keeper)->Look();
  EXPECT_NE((*keeper)->users()->Find("a"), nullptr);
  EXPECT_EQ(Reloads("failed"), 2u);
}

}  // namespace
}  // namespace dynamo
