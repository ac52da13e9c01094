#include "common/tls/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/lib/temporary_folder.h"
#include "tests/lib/tls/test_authority.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TlsKeeperTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<TlsKeeper>> Open() {
    return TlsKeeper::Open(
        TlsUse::kPeer, TlsMode::kRequired, folder_.path(), &metrics_,
        Logger(LogLevel::kInfo, [this](LogLevel, std::string_view line) { log_.emplace_back(line); }));
  }
  uint64_t Reloads(const char* outcome) {
    return metrics_.counter("dynamo_tls_reloads_total", "", {{"use", "peer"}, {"outcome", outcome}}).value();
  }
  int64_t Expiry() {
    return metrics_.gauge("dynamo_tls_certificate_expiry_timestamp_seconds", "", {{"use", "peer"}}).value();
  }

  TemporaryFolder folder_;
  TestAuthority authority_{"authority"};
  Metrics metrics_;
  std::vector<std::string> log_;
};

TEST_F(TlsKeeperTest, TakesNewFilesAndLeavesTheOldContextToThoseWhoHaveIt) {
  WriteTlsFolder(folder_.path(), authority_.IssueNode("demo"));
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  const auto before = (*keeper)->context();
  EXPECT_EQ(Expiry(), before->expires());
  (*keeper)->Look();
  EXPECT_EQ((*keeper)->context(), before);

  WriteTlsFolder(folder_.path(), authority_.Issue({.uris = {"dynamo://demo"}, .valid_until = std::chrono::hours(48)}));
  (*keeper)->Look();
  EXPECT_NE((*keeper)->context(), before);
  EXPECT_GT(Expiry(), before->expires());
  EXPECT_EQ(Reloads("ok"), 1u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("tls_reloaded use=peer")));
  EXPECT_NE(before->NewSession(), nullptr);
}

TEST_F(TlsKeeperTest, SaysWhenTheFirstAndTheLastOfItsAuthoritiesEnd) {
  const auto ends = [this](const std::string& which) {
    return metrics_.gauge("dynamo_tls_" + which + "_expiry_timestamp_seconds", "", {{"use", "peer"}}).value();
  };
  TlsFiles files = authority_.IssueNode("demo");
  WriteTlsFolder(folder_.path(), files);
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  const int64_t old_ends = ends("authority");
  EXPECT_EQ(ends("last_authority"), old_ends);

  const TestAuthority next("next", std::chrono::hours(24 * 60));
  files.authorities = next.pem() + authority_.pem();
  WriteTlsFolder(folder_.path(), files);
  (*keeper)->Look();
  EXPECT_EQ(ends("authority"), old_ends);
  EXPECT_GT(ends("last_authority"), old_ends);
}

TEST_F(TlsKeeperTest, KeepsTheOldFilesWhileTheNewOnesAreWrongAndSaysSoOnce) {
  TlsFiles files = authority_.IssueNode("demo");
  WriteTlsFolder(folder_.path(), files);
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  const auto before = (*keeper)->context();

  files.key = authority_.IssueNode("demo").key;
  WriteTlsFolder(folder_.path(), files);
  for (int i = 0; i < 3; ++i) (*keeper)->Look();
  EXPECT_EQ((*keeper)->context(), before);
  EXPECT_EQ(Reloads("failed"), 1u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("tls_reload_failed use=peer")));

  WriteTlsFolder(folder_.path(), authority_.IssueNode("demo"));
  (*keeper)->Look();
  EXPECT_NE((*keeper)->context(), before);
  EXPECT_EQ(Reloads("ok"), 1u);
}

TEST_F(TlsKeeperTest, GoesOnWhenItsFilesAreTakenAway) {
  WriteTlsFolder(folder_.path(), authority_.IssueNode("demo"));
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  std::filesystem::remove(folder_.path() + "/tls.key");
  for (int i = 0; i < 3; ++i) (*keeper)->Look();
  EXPECT_NE((*keeper)->context(), nullptr);
  EXPECT_GE(Reloads("failed"), 1u);
  EXPECT_THAT(log_.front(), HasSubstr("tls.key"));
}

TEST_F(TlsKeeperTest, DoesNotBeginWithFilesThatAreWrong) {
  const auto nothing = Open();
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message, HasSubstr("cannot read " + folder_.path() + "/tls.crt"));
  TlsFiles files = authority_.IssueNode("demo");
  files.authorities = "";
  WriteTlsFolder(folder_.path(), files);
  const auto incomplete = Open();
  ASSERT_FALSE(incomplete);
  EXPECT_THAT(incomplete.error().message, HasSubstr(folder_.path() + "/ca.crt: is needed"));
}

TEST_F(TlsKeeperTest, CountsAndNamesWhoIsRefused) {
  WriteTlsFolder(folder_.path(), authority_.IssueNode("demo"));
  const auto keeper = Open();
  ASSERT_TRUE(keeper) << keeper.error().message;
  (*keeper)->Refused({TlsReason::kWrongName, "certificate of dynamo://theirs: wanted dynamo://demo"}, "10.0.0.1:33");
  EXPECT_EQ(metrics_.counter("dynamo_tls_refused_total", "", {{"use", "peer"}, {"reason", "wrong_name"}}).value(), 1u);
  // Who tries again and again does not fill the log.
  (*keeper)->Refused({TlsReason::kWrongName, "again"}, "10.0.0.1:34");
  EXPECT_THAT(log_, ElementsAre("tls_refused use=peer reason=wrong_name who=10.0.0.1:33 "
                                "detail=\"certificate of dynamo://theirs: wanted dynamo://demo\""));
}

}  // namespace
}  // namespace dynamo
