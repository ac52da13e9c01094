#include "node/service/report_codec.h"

#include <gtest/gtest.h>

#include <limits>

namespace dynamo {
namespace {

MemberReport SomeReport() {
  MemberReport report;
  report.answered = true;
  report.hints = {{NodeId{7}, 3, 300}, {NodeId{9}, 1, 10}};
  report.change_since = 12;
  report.copies = {{1, {4, 0.25, 1000}}, {3, {8, 8, 77}}};
  report.bytes_per_second = 5;
  return report;
}

TEST(ReportCodec, BringsBackWhatWasSaid) {
  const MemberReport said = SomeReport();
  peer::MemberReport message;
  ToProto(said, &message);
  const auto heard = ReportOf(message);
  ASSERT_TRUE(heard.has_value());
  EXPECT_TRUE(heard->answered);
  ASSERT_EQ(heard->hints.size(), 2u);
  EXPECT_EQ(heard->hints[1].owner, NodeId{9});
  EXPECT_EQ(heard->hints[0].hints, 3u);
  EXPECT_EQ(heard->hints[0].bytes, 300u);
  EXPECT_EQ(heard->change_since, 12u);
  EXPECT_EQ(heard->copies, said.copies);
  EXPECT_EQ(heard->bytes_per_second, 5u);
}

TEST(ReportCodec, RefusesSharesThatCannotBe) {
  for (const double share :
       {-1.0, 1e9, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    MemberReport report = SomeReport();
    report.copies[3].to_copy = share;
    peer::MemberReport message;
    ToProto(report, &message);
    EXPECT_EQ(ReportOf(message).error().code, Errc::kCorrupt) << share;
    report = SomeReport();
    report.copies[1].copied = share;
    message.Clear();
    ToProto(report, &message);
    EXPECT_FALSE(ReportOf(message).has_value()) << share;
  }
}

}  // namespace
}  // namespace dynamo
