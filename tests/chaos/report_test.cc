#include "tests/chaos/report.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace dynamo::chaos {
namespace {

Report Example() {
  Report report;
  report.seed = 7;
  report.command = "run --seed 7";
  report.faults = {{"kill", 3}, {"power-loss", 2}};
  report.left_out = {{"clock", "no \"library\""}};
  report.counts = {.reads_ok = 90, .reads_failed = 10, .puts_ok = 45, .puts_failed = 3, .puts_unknown = 2};
  report.violations = {"P1 k1: lost"};
  return report;
}

TEST(Report, AddsUpFaultsAndOperations) {
  EXPECT_EQ(Example().faults_total(), 5u);
  EXPECT_EQ(Example().operations(), 150u);
}

TEST(Report, IsJsonThatSaysWhatHappened) {
  const auto json = boost::json::parse(Example().Json()).as_object();
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("operations"), 150);
  EXPECT_EQ(json.at("faults").at("power-loss"), 2);
  EXPECT_EQ(json.at("left_out").at("clock"), "no \"library\"");
  EXPECT_EQ(json.at("reads_ok_percent").as_double(), 90.0);
  EXPECT_EQ(json.at("violations").as_array().size(), 1u);
}

TEST(Report, NamesWhatWasLeftOutAndEveryViolationToPeople) {
  const std::string text = Example().Text();
  EXPECT_NE(text.find("LEFT OUT     clock"), std::string::npos) << text;
  EXPECT_NE(text.find("VIOLATION P1 k1: lost"), std::string::npos) << text;
  EXPECT_NE(text.find("1 violations, seed 7"), std::string::npos) << text;
}

TEST(Report, OfARunWithoutOperationsDividesByNothing) {
  EXPECT_NE(Report().Json().find("\"writes_ok_percent\": 0"), std::string::npos) << Report().Json();
}

}  // namespace
}  // namespace dynamo::chaos
