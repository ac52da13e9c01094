#include "tests/chaos/command.h"

#include <gtest/gtest.h>

namespace dynamo::chaos {
namespace {

TEST(Shell, GivesWhatACommandPrinted) {
  EXPECT_EQ(Shell("echo one; echo two >&2"), "one\ntwo\n");
  EXPECT_TRUE(Execute("true").has_value());
}

TEST(Shell, NamesTheCommandThatFailedAndWhatItSaid) {
  const auto failed = Shell("echo no such link; exit 3");
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(failed.error().message.find("exit 3"), std::string::npos) << failed.error().message;
  EXPECT_NE(failed.error().message.find("no such link"), std::string::npos) << failed.error().message;
  EXPECT_FALSE(Execute("false").has_value());
}

}  // namespace
}  // namespace dynamo::chaos
