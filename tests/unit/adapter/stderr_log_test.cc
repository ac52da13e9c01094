#include "node/adapter/stderr_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dynamo {
namespace {

TEST(StderrLog, WritesOneLineOfKeysAndValues) {
  ::testing::internal::CaptureStderr();
  MakeStderrLog(LogLevel::kInfo).Info("member_up id={}", 7);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::MatchesRegex("time=....-..-..T..:..:..\\....Z level=info event=member_up id=7\n"));
}

TEST(StderrLog, KeepsTheLevelsBelowToItself) {
  ::testing::internal::CaptureStderr();
  const Logger log = MakeStderrLog(LogLevel::kWarn);
  log.Info("hidden");
  log.Error("shown");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::EndsWith("level=error event=shown\n"));
}

TEST(StderrLog, WhatComesFromOutsideCannotForgeALine) {
  EXPECT_EQ(OneLine("a\nlevel=error\r\t\x7f z"), "a\\x0alevel=error\\x0d\\x09\\x7f z");
  EXPECT_EQ(OneLine("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

}  // namespace
}  // namespace dynamo
