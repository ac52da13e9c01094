#include "tests/sim/cluster/reduction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace dynamo::sim {
namespace {

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    items.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return items;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::set<uint64_t>> Numbers(std::string_view list) {
  std::set<uint64_t> numbers;
  for (const std::string& item : Split(list)) {
    const auto number = Number(item);
    if (!number) return std::nullopt;
    numbers.insert(*number);
  }
  return numbers;
}

}  // namespace

void Reduction::ApplyTo(Plan* plan) const {
  if (nodes) {
    plan->cluster.nodes = static_cast<size_t>(*nodes);
    const auto n = static_cast<uint32_t>(*nodes);
    for (uint32_t* value : {&plan->cluster.n_val, &plan->workload.r, &plan->workload.w}) *value = std::min(*value, n);
    for (auto* value : {&plan->workload.dw, &plan->workload.pr, &plan->workload.pw}) {
      if (*value) *value = std::min(**value, n);
    }
  }
  if (shards) plan->cluster.shards = static_cast<ShardIndex>(*shards);
  if (chaos_ms) {
    plan->chaos.duration = std::chrono::milliseconds(*chaos_ms);
    plan->workload.operations_min = 0;
  }
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    if (off.contains(std::string(Name(static_cast<FaultKind>(kind))))) plan->chaos.enabled[kind] = false;
  }
  if (faults) plan->chaos.only_faults = faults;
  if (operations) {
    plan->workload.only_operations = operations;
    plan->workload.operations_min = 0;
  }
}

std::string Reduction::ToString() const {
  std::string text;
  auto add = [&text](std::string_view word) { text += (text.empty() ? "" : " ") + std::string(word); };
  if (nodes) add(fmt::format("nodes={}", *nodes));
  if (shards) add(fmt::format("shards={}", *shards));
  if (chaos_ms) add(fmt::format("chaos_ms={}", *chaos_ms));
  if (ring_always) add("ring=always");
  if (!off.empty()) add(fmt::format("off={}", fmt::join(off, ",")));
  if (faults) add(fmt::format("faults={}", fmt::join(*faults, ",")));
  if (operations) add(fmt::format("operations={}", fmt::join(*operations, ",")));
  return text;
}

Status Reduction::Read(std::string_view word) {
  const size_t equals = std::min(word.find('='), word.size());
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(std::min(equals + 1, word.size()));
  bool read = false;
  for (const auto& [known, number] : {std::pair("nodes", &nodes), {"shards", &shards}, {"chaos_ms", &chaos_ms}}) {
    if (name != known) continue;
    *number = Number(value);
    read = number->has_value();
  }
  for (const auto& [known, numbers] : {std::pair("faults", &faults), {"operations", &operations}}) {
    if (name != known) continue;
    *numbers = Numbers(value);
    read = numbers->has_value();
  }
  if (word == "ring=always") read = ring_always = true;
  if (name == "off") {
    for (std::string& kind : Split(value)) off.insert(std::move(kind));
    read = true;
  }
  if (read) return {};
  return Fail(Errc::kInvalidArgument, "no part of a reduction: " + std::string(word));
}

}  // namespace dynamo::sim
