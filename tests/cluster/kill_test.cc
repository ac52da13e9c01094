// kill -9 under load: nothing acknowledged is lost, and clients hardly notice.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "tests/cluster/load.h"
#include "tests/cluster/real_cluster.h"
#include "tests/lib/test_form.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;

constexpr uint64_t kSeed = 20071014;  // The first day of SOSP 2007.

// How long, and whether the machine's speed is a product of sanitizers.
struct Extent {
  seconds duration;
  bool at_full_speed;
};
Extent ExtentOfThisRun() {
  switch (FormOfThisRun()) {
    case TestForm::kSmoke: return {seconds(60), false};
    case TestForm::kLong: return {seconds(3600), true};
    default: return {seconds(180), true};
  }
}

// Each five seconds another node is killed and started again at once.
int KillAndRestart(RealCluster& cluster, std::chrono::steady_clock::time_point until) {
  Rng rng(kSeed);
  size_t last = cluster.size();
  int kills = 0;
  for (auto next = std::chrono::steady_clock::now() + seconds(5); next < until; next += seconds(5)) {
    std::this_thread::sleep_until(next);
    size_t victim = rng.Below(cluster.size());
    if (victim == last) victim = (victim + 1) % cluster.size();
    cluster.node(victim).Kill();
    cluster.node(victim).Start();
    last = victim;
    ++kills;
  }
  return kills;
}

void PrintCounts(const LoadCounts& counts, int kills, size_t keys) {
  const double good = 100.0 * static_cast<double>(counts.puts_ok) / static_cast<double>(counts.puts());
  std::cout << fmt::format(
      "kills {}, keys {}\nreads  ok {}  failed {}\nwrites ok {}  failed {}  unknown {}: {:.3f} % neither failed nor "
      "unknown\nrefused connections, tried elsewhere: {}\n",
      kills, keys, counts.reads_ok, counts.reads_failed, counts.puts_ok, counts.puts_failed, counts.puts_unknown, good,
      counts.refused);
}

TEST(Kill, NoAcknowledgedWriteIsLostWhenNodesDieUnderLoad) {
  const Extent extent = ExtentOfThisRun();
  RealCluster cluster(21, 5);
  cluster.StartAll();
  const Status created = cluster.Create();
  ASSERT_TRUE(created.has_value()) << created.error().message;

  Load load(cluster.http(), {.seed = kSeed});
  load.Start();
  const int kills = KillAndRestart(cluster, std::chrono::steady_clock::now() + extent.duration);
  const auto last_return = std::chrono::steady_clock::now();
  load.Stop();
  PrintCounts(load.counts(), kills, load.keys());

  const bool drained = Eventually(seconds(60), [&cluster] {
    const auto hints = cluster.HintsAtRest();
    return cluster.IsWhole() && hints && *hints == 0;
  });
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - last_return);
  std::cout << fmt::format("hints 0 and all nodes up {:.1f} s after the last return\n",
                           1e-3 * static_cast<double>(took.count()));
  EXPECT_TRUE(drained);

  ExpectNothingLost(load);
  EXPECT_GE(load.counts().puts(), extent.at_full_speed ? 10'000u : 500u);
  if (extent.at_full_speed) {
    EXPECT_GE(static_cast<double>(load.counts().puts_ok), 0.999 * static_cast<double>(load.counts().puts()));
  }
}

}  // namespace
}  // namespace dynamo::cluster
