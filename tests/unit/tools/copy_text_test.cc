#include "tools/dynamoctl/copy_text.h"

#include <gtest/gtest.h>

namespace dynamo::ctl {
namespace {

constexpr int64_t kMiB = 1 << 20;

TEST(BytesText, HasOneDigitAfterThePointAndNeverAThousandOfAUnit) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1024), "1.0 KiB");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(BytesText(uint64_t{5} << 30), "5.0 GiB");
  EXPECT_EQ(BytesText(~uint64_t{0}), "16384.0 PiB");
}

TEST(SecondsText, IsAsExactAsOneWantsToKnow) {
  EXPECT_EQ(SecondsText(0), "0s");
  EXPECT_EQ(SecondsText(59), "59s");
  EXPECT_EQ(SecondsText(130), "2m10s");
  EXPECT_EQ(SecondsText(3 * 3600 + 5 * 60 + 59), "3h05m");
}

TEST(CopyText, SaysWhatIsKnownAndNoMore) {
  admin::Operation operation;
  EXPECT_EQ(CopyText(operation), "");
  operation.bytes_done = 10 * kMiB;
  EXPECT_EQ(CopyText(operation), ", 10.0 MiB copied");
  operation.bytes_in_all = 40 * kMiB;
  EXPECT_EQ(CopyText(operation), ", 10.0 MiB of about 40.0 MiB copied");
  operation.bytes_per_second = 2 * kMiB;
  operation.seconds_left = 15;
  EXPECT_EQ(CopyText(operation), ", 10.0 MiB of about 40.0 MiB copied at 2.0 MiB/s, about 15s left");
  operation.unanswered = {"n2", "n3"};
  EXPECT_EQ(CopyText(operation),
            ", 10.0 MiB of about 40.0 MiB copied at 2.0 MiB/s, about 15s left (what n2, n3 did is not known)");
}

TEST(CopyText, PromisesNoEndOfWhatStands) {
  admin::Operation operation;
  operation.bytes_done = operation.bytes_in_all = 10 * kMiB;
  operation.bytes_per_second = operation.seconds_left = 0;
  EXPECT_EQ(CopyText(operation), ", 10.0 MiB of about 10.0 MiB copied");
}

}  // namespace
}  // namespace dynamo::ctl
