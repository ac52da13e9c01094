#include "node/adapter/machine.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace dynamo {
namespace {

std::string ReadSmallFile(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The number that the text begins with, and the rest.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::optional<uint32_t> CoresOf(uint64_t quota, uint64_t period) {
  if (period == 0 || quota == 0) return std::nullopt;
  return static_cast<uint32_t>(std::min<uint64_t>((quota + period - 1) / period, UINT32_MAX));
}

// Version 1 has no word for "no limit": its largest number is one, rounded down to a page.
constexpr uint64_t kNoMemoryLimit = uint64_t{1} << 60;

uint32_t CoresByAffinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace

std::optional<uint32_t> ParseCpuMax(std::string_view text) {
  const auto quota = TakeNumber(text);
  if (!quota || !text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  const auto period = TakeNumber(text);
  return period ? CoresOf(*quota, *period) : std::nullopt;
}

std::optional<uint32_t> ParseCpuQuota(std::string_view quota, std::string_view period) {
  const auto quota_us = TakeNumber(quota);
  const auto period_us = TakeNumber(period);
  return quota_us && period_us ? CoresOf(*quota_us, *period_us) : std::nullopt;
}

uint32_t UsableCores(const std::string& cgroup) {
  auto quota = ParseCpuMax(ReadSmallFile(cgroup + "/cpu.max"));
  if (!quota) {
    quota = ParseCpuQuota(ReadSmallFile(cgroup + "/cpu/cpu.cfs_quota_us"),
                          ReadSmallFile(cgroup + "/cpu/cpu.cfs_period_us"));
  }
  return std::min(CoresByAffinity(), quota.value_or(UINT32_MAX));
}

std::optional<uint64_t> MemoryLimitBytes(const std::string& cgroup) {
  for (const char* file : {"/memory.max", "/memory/memory.limit_in_bytes"}) {
    const std::string text = ReadSmallFile(cgroup + file);
    std::string_view view = text;
    if (const auto limit = TakeNumber(view); limit && *limit < kNoMemoryLimit) return limit;
  }
  return std::nullopt;
}

}  // namespace dynamo
