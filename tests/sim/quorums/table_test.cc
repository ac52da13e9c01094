// The configurations of section 4.5 against failures: which requests succeed.
//
// Strict: a get succeeds iff R owners are up, a put iff W are. Sloppy: a put
// succeeds iff W distinct nodes can be reached; a get of what all owners had
// before the failure still needs R owners, since a stand-in has nothing of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "tests/sim/quorums/fixture.h"

namespace dynamo::sim {
namespace {

struct Cell {
  bool get, put;
};

// One row: a configuration and, for each situation, what is to be expected.
struct Row {
  Quorums quorums;
  bool sloppy;
  // 3 nodes with 0, 1, 2 down; 5 nodes with 0, 1, 2 owners down.
  Cell expected[6];
};

constexpr Cell kBoth{true, true}, kGet{true, false}, kPut{false, true}, kNone{false, false};

constexpr Row kTable[] = {
    {{3, 2, 2}, false, {kBoth, kBoth, kNone, kBoth, kBoth, kNone}},
    {{3, 2, 2}, true, {kBoth, kBoth, kNone, kBoth, kBoth, kPut}},
    {{3, 3, 1}, false, {kBoth, kPut, kPut, kBoth, kPut, kPut}},
    {{3, 3, 1}, true, {kBoth, kPut, kPut, kBoth, kPut, kPut}},
    {{3, 1, 3}, false, {kBoth, kGet, kGet, kBoth, kGet, kGet}},
    {{3, 1, 3}, true, {kBoth, kGet, kGet, kBoth, kBoth, kBoth}},
    {{3, 3, 3}, false, {kBoth, kNone, kNone, kBoth, kNone, kNone}},
    {{3, 3, 3}, true, {kBoth, kNone, kNone, kBoth, kPut, kPut}},
    {{3, 1, 1}, false, {kBoth, kBoth, kBoth, kBoth, kBoth, kBoth}},
    {{3, 1, 1}, true, {kBoth, kBoth, kBoth, kBoth, kBoth, kBoth}},
};

// The rule in words, to hold the table itself against.
Cell Rule(const Row& row, size_t nodes, uint32_t down) {
  const uint32_t owners_up = 3 - down;
  const uint32_t reachable = std::min<uint32_t>(3, static_cast<uint32_t>(nodes) - down);
  return {owners_up >= row.quorums.r, (row.sloppy ? reachable : owners_up) >= row.quorums.w};
}

struct Situation {
  size_t nodes;
  uint32_t down;
};
constexpr Situation kSituations[] = {{3, 0}, {3, 1}, {3, 2}, {5, 0}, {5, 1}, {5, 2}};

class QuorumTable : public testing::TestWithParam<int> {};

TEST_P(QuorumTable, RequestsSucceedExactlyWhenTheirQuorumIsThere) {
  const Situation situation = kSituations[GetParam()];
  std::cout << fmt::format("{} nodes, {} owners down\n", situation.nodes, situation.down);
  for (const Row& row : kTable) {
    QuietCluster quiet(situation.nodes, row.quorums.n);
    ASSERT_TRUE(quiet.Put(0, {3, 3, 3}, false, "before").has_value());
    const auto& owners = quiet.owners();
    quiet.TakeDown({owners.begin(), owners.begin() + situation.down});
    // Asked at an owner that is up; and, with five nodes, at a node that is none.
    const size_t at = situation.nodes == 5 ? quiet.others().back() : owners.back();
    const auto get = quiet.Get(at, row.quorums, row.sloppy);
    const auto put = quiet.Put(at, row.quorums, row.sloppy, "after");
    const Cell expected = row.expected[GetParam()];
    const std::string name =
        fmt::format("({},{},{}) {}", row.quorums.n, row.quorums.r, row.quorums.w, row.sloppy ? "sloppy" : "strict");
    std::cout << fmt::format("  {:15}  get {:6}  put {:6}\n", name, get ? "ok" : ErrcName(get.error().code),
                             put ? "ok" : ErrcName(put.error().code));
    EXPECT_EQ(get.has_value(), expected.get) << name << ": " << (get ? "" : get.error().message);
    EXPECT_EQ(put.has_value(), expected.put) << name << ": " << (put ? "" : put.error().message);
    const Cell rule = Rule(row, situation.nodes, situation.down);
    EXPECT_EQ(rule.get, expected.get) << name;
    EXPECT_EQ(rule.put, expected.put) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Situations, QuorumTable, testing::Range(0, 6));

}  // namespace
}  // namespace dynamo::sim
