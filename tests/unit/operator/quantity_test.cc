#include "operator/cluster/quantity.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace dynamo::op {
namespace {

TEST(Quantity, BytesAreWrittenAsKubernetesWritesThem) {
  const std::vector<std::pair<std::string, int64_t>> table = {
      {"0", 0},
      {"1500", 1500},
      {"1k", 1000},
      {"50M", 50'000'000},
      {"32Mi", 32 << 20},
      {"3Gi", int64_t{3} << 30},
      {"2T", 2'000'000'000'000},
      {"1Pi", int64_t{1} << 50},
      {"7Ei", int64_t{7} << 60},
      {"9E", 9'000'000'000'000'000'000},
      {"1.5Gi", int64_t{3} << 29},
      {"0.1k", 100},
      {"1.0000000001", 2},
      {"0.5", 1},
      {"9223372036854775807", 9'223'372'036'854'775'807},
  };
  for (const auto& [text, bytes] : table) EXPECT_EQ(ParseBytes(text), bytes) << text;
}

TEST(Quantity, WhatIsNoSizeIsNone) {
  for (const char* text : {"",
                           "M",
                           "Mi",
                           "-1",
                           "+1",
                           " 1",
                           "1 M",
                           "1m",
                           "1K",
                           "1ki",
                           "1MB",
                           "1.Gi",
                           ".5Gi",
                           "1.5.5",
                           "0x10",
                           "1i",
                           "8Ei",
                           "10E",
                           "9223372036854775808",
                           "99999999999999999999"}) {
    EXPECT_EQ(ParseBytes(text), std::nullopt) << text;
  }
}

TEST(Quantity, TimesAreNumbersWithTheirUnits) {
  const std::vector<std::pair<std::string, int64_t>> table = {
      {"0s", 0},         {"500ms", 500},       {"90s", 90'000},     {"30m", 1'800'000},
      {"1h", 3'600'000}, {"1h30m", 5'400'000}, {"1m500ms", 60'500}, {"8760h", int64_t{365} * 24 * 3600 * 1000},
  };
  for (const auto& [text, milliseconds] : table) EXPECT_EQ(ParseMilliseconds(text), milliseconds) << text;
}

TEST(Quantity, WhatIsNoTimeIsNone) {
  for (const char* text :
       {"", "1", "s", "1d", "1h30", "h1", "-1s", "1.5h", "1 h", "8761h", "8760h1ms", "99999999999999999999h"}) {
    EXPECT_EQ(ParseMilliseconds(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace dynamo::op
