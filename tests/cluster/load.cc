#include "tests/cluster/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include "tests/cluster/real_cluster.h"
#include "tests/oracle/check.h"

namespace dynamo::cluster {
namespace {

constexpr uint64_t kFailuresShown = 5;
constexpr size_t kVisitors = 4;
constexpr int kReadTries = 5;
constexpr double kAnsweredMin = 0.999;

// Of one key: a cluster that heals may still miss a deadline.
std::optional<Reading> ReadAt(StoreClient& client, size_t node, const std::string& key, const std::string& query) {
  std::optional<Reading> reading;
  for (int tries = 0; tries < kReadTries && !reading; ++tries) {
    reading = ParseReading(client.SendTo(node, StoreClient::Get(key, query)));
  }
  return reading;
}

}  // namespace

Load::Load(std::vector<std::string> nodes, LoadSettings settings) : nodes_(std::move(nodes)), settings_(settings) {}

Load::~Load() { Stop(); }

void Load::Start() {
  for (int id = 0; id < settings_.clients; ++id) threads_.emplace_back([this, id] { Run(id); });
}

void Load::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

LoadCounts Load::counts() {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool Load::AwaitWrites(uint64_t more) {
  const uint64_t wanted = counts().puts_ok + more;
  return Eventually(std::chrono::minutes(1), [&] { return counts().puts_ok >= wanted; });
}

size_t Load::keys() {
  const std::lock_guard lock(mutex_);
  return used_keys_.size();
}

void Load::Run(int id) {
  StoreClient client(nodes_, settings_.client, settings_.seed + static_cast<uint64_t>(id));
  while (!stopping_) {
    const std::string key = NextKey(client.rng());
    if (client.rng().Chance(0.15)) {
      Write(client, id, {key, {}, "", /*erase=*/false});
    } else {
      ReadThenWrite(client, id, key);
    }
    if (settings_.think_time.count() > 0) std::this_thread::sleep_for(settings_.think_time);
  }
}

std::string Load::NextKey(Rng& rng) {
  const std::lock_guard lock(mutex_);
  const uint64_t first = ++turns_ / settings_.turns_per_key;
  std::string key = fmt::format("k{}", first + rng.Below(settings_.keys_at_once));
  used_keys_.insert(key);
  return key;
}

void Load::ReadThenWrite(StoreClient& client, int id, const std::string& key) {
  std::optional<Reading> reading = Read(client, id, key, /*is_retry=*/false);
  if (!reading && settings_.retries) reading = Read(client, id, key, /*is_retry=*/true);
  if (!reading) return;
  const oracle::Context context = oracle::ContextOf(reading->seen);
  const bool erase = !context.none() && client.rng().Chance(0.1);
  Write(client, id, {key, context, reading->context, erase});
}

std::optional<Reading> Load::Read(StoreClient& client, int id, const std::string& key, bool is_retry) {
  uint64_t begun = 0;
  {
    const std::lock_guard lock(mutex_);
    begun = history_.Now();
  }
  const Answer answer = client.Send(StoreClient::Get(key, ""));
  std::optional<Reading> reading = ParseReading(answer);
  const std::lock_guard lock(mutex_);
  counts_.refused += answer.refused;
  counts_.retried += is_retry ? 1 : 0;
  if (reading) {
    ++counts_.reads_ok;
    history_.AddRead(id, key, begun, reading->seen);
  } else if (is_retry || !settings_.retries) {
    ++counts_.reads_failed;
  }
  return reading;
}

void Load::Write(StoreClient& client, int id, const Intent& intent) {
  if (Attempt(client, id, intent, /*is_retry=*/false)) return;
  if (settings_.retries) Attempt(client, id, intent, /*is_retry=*/true);
}

bool Load::Attempt(StoreClient& client, int id, const Intent& intent, bool is_retry) {
  oracle::WriteId write = 0;
  {
    const std::lock_guard lock(mutex_);
    write = intent.erase ? history_.BeginDelete(id, intent.key, intent.context)
                         : history_.BeginPut(id, intent.key, intent.context);
  }
  const std::string value = oracle::MakeValue(write, client.rng().Below(300));
  const Answer answer = client.Send(intent.erase ? StoreClient::Delete(intent.key, intent.token)
                                                 : StoreClient::Put(intent.key, intent.token, value));
  oracle::Outcome outcome = oracle::Outcome::kUnknown;
  if (answer.answered && answer.response.status == 204) outcome = oracle::Outcome::kOk;
  // 4xx changes nothing; a 503 may have.
  if (answer.surely_not_sent || (answer.answered && answer.response.status / 100 == 4)) {
    outcome = oracle::Outcome::kFailed;
  }
  const std::lock_guard lock(mutex_);
  history_.EndWrite(write, outcome);
  counts_.refused += answer.refused;
  counts_.retried += is_retry ? 1 : 0;
  const bool is_last = is_retry || !settings_.retries;
  if (outcome == oracle::Outcome::kOk) {
    ++counts_.puts_ok;
  } else if (is_last && (answer.answered || answer.surely_not_sent)) {
    // A test that allows none wants to know why.
    if (++counts_.puts_failed <= kFailuresShown && answer.answered) {
      std::cout << fmt::format("write {} failed: {} {}\n", write, answer.response.status, answer.response.body);
    }
  } else if (is_last) {
    ++counts_.puts_unknown;
  }
  return outcome == oracle::Outcome::kOk;
}

void Load::ForEachKey(const Visit& visit) {
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    keys.assign(used_keys_.begin(), used_keys_.end());
  }
  std::vector<std::thread> visitors;
  visitors.reserve(kVisitors);
  for (size_t id = 0; id < kVisitors; ++id) {
    visitors.emplace_back([this, &keys, &visit, id] {
      // Patient, but by the same door.
      StoreClient client(nodes_, {.authorities = settings_.client.authorities}, settings_.seed + id);
      for (size_t i = id; i < keys.size(); i += kVisitors) visit(client, keys[i]);
    });
  }
  for (std::thread& visitor : visitors) visitor.join();
}

uint64_t Load::ReadAll(size_t observers) {
  std::atomic<uint64_t> failed{0};
  ForEachKey([&](StoreClient& client, const std::string& key) {
    const size_t first = client.rng().Below(client.nodes());
    for (size_t i = 0; i < observers; ++i) {
      const size_t observer = (first + i) % client.nodes();
      std::optional<Reading> reading = ReadAt(client, observer, key, "?r=all");
      if (!reading) {
        ++failed;
        continue;
      }
      const std::lock_guard lock(mutex_);
      history_.AddFinalRead(key, fmt::format("node {}", observer + 1), std::move(reading->seen));
    }
  });
  return failed;
}

uint64_t Load::RepairAll() {
  std::atomic<uint64_t> failed{0};
  ForEachKey([&](StoreClient& client, const std::string& key) {
    if (!ReadAt(client, client.rng().Below(client.nodes()), key, "?r=all")) ++failed;
  });
  return failed;
}

uint64_t Load::CountDiffering() {
  std::atomic<uint64_t> differing{0};
  ForEachKey([&](StoreClient& client, const std::string& key) {
    std::set<std::string> states;
    for (size_t node = 0; node < client.nodes(); ++node) {
      std::optional<Reading> reading = ReadAt(client, node, key, "?r=1");
      if (!reading) continue;
      std::ranges::sort(reading->seen.values);
      states.insert(
          fmt::format("{} {} {}", reading->context, fmt::join(reading->seen.values, ","), reading->seen.tombstone));
    }
    if (states.size() != 1) ++differing;
  });
  return differing;
}

void ExpectHardlyAFailure(Load& load) {
  const LoadCounts counts = load.counts();
  std::cout << fmt::format("reads ok {} failed {}, writes ok {} failed {} unknown {}, refused {}\n", counts.reads_ok,
                           counts.reads_failed, counts.puts_ok, counts.puts_failed, counts.puts_unknown,
                           counts.refused);
  EXPECT_GE(static_cast<double>(counts.reads_ok), kAnsweredMin * static_cast<double>(counts.reads()));
  EXPECT_GE(static_cast<double>(counts.puts_ok), kAnsweredMin * static_cast<double>(counts.puts()));
}

void ExpectNothingLost(Load& load) {
  EXPECT_EQ(load.ReadAll(/*observers=*/2), 0u) << "final reads that failed";
  const auto violations = oracle::Check(load.history());
  for (const oracle::Violation& violation : violations) {
    ADD_FAILURE() << violation.property << ' ' << violation.key << ": " << violation.what;
  }
  std::cout << fmt::format("oracle: {} writes judged, {} violations\n", load.history().writes().size(),
                           violations.size());
}

}  // namespace dynamo::cluster
