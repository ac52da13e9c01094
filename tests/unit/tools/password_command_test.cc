#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "common/users/password.h"
#include "tools/dynamoctl/commands.h"

namespace dynamo::ctl {
namespace {

using ::testing::HasSubstr;

TEST(HashPassword, PrintsAHashOfTheFirstLineThatTheFileOfUsersTakes) {
  std::istringstream in("open sesame\nmore\n");
  std::ostringstream out, err;
  ASSERT_EQ(ctl::Run({"hash-password", "--iterations", "1000"}, in, out, err), 0) << err.str();
  std::string line = out.str();
  ASSERT_EQ(line.back(), '\n');
  line.pop_back();
  const auto hash = ParsePasswordHash(line);
  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_EQ(hash->iterations, 1000u);
  EXPECT_TRUE(IsPassword(*hash, "open sesame"));
}

TEST(HashPassword, WantsAPassword) {
  std::istringstream in("\n");
  std::ostringstream out, err;
  EXPECT_EQ(ctl::Run({"hash-password"}, in, out, err), 2);
  EXPECT_THAT(err.str(), HasSubstr("no password"));
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace dynamo::ctl
