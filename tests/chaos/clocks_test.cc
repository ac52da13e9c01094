#include "tests/chaos/clocks.h"

#include <gtest/gtest.h>

#include "tests/chaos/command.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo::chaos {
namespace {

class ClocksTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(ClocksTest, AProgramsWallClockMovesAndItsSteadyClockDoesNot) {
  const Status tried = Clocks(DYNAMO_CLOCK_LIBRARY, folder_.path()).Try();
  EXPECT_TRUE(tried.has_value()) << tried.error().message;
}

TEST_F(ClocksTest, AClockMovesUnderARunningProgram) {
  Clocks clocks(DYNAMO_CLOCK_LIBRARY, folder_.path());
  ASSERT_TRUE(clocks.Step(1, 0).has_value());
  const auto environment = clocks.EnvironmentOf(1);
  // The program itself moves its clock, a million seconds ahead.
  const auto moved = Shell(environment[0] + " " + environment[1] +
                           " python3 -c 'import os, struct, time; before = time.time(); "
                           "open(os.environ[\"DYNAMO_CLOCK_STEP\"], \"r+b\").write(struct.pack(\"q\", 1000000)); "
                           "print(round((time.time() - before) / 1000000))'");
  EXPECT_EQ(moved, "1\n");
}

TEST_F(ClocksTest, SaysSoWhereTheLibraryIsMissing) {
  EXPECT_FALSE(Clocks(folder_.path() + "/none.so", folder_.path()).Try().has_value());
}

}  // namespace
}  // namespace dynamo::chaos
