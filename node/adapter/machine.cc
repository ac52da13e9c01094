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
  if (!period || *period == 0 || *quota == 0) return std::nullopt;
  return static_cast<uint32_t>(std::min<uint64_t>((*quota + *period - 1) / *period, UINT32_MAX));
}

uint32_t UsableCores(const std::string& cgroup) {
  const auto quota = ParseCpuMax(ReadSmallFile(cgroup + "/cpu.max"));
  return std::min(CoresByAffinity(), quota.value_or(UINT32_MAX));
}

std::optional<uint64_t> MemoryLimitBytes(const std::string& cgroup) {
  const std::string text = ReadSmallFile(cgroup + "/memory.max");
  std::string_view view = text;
  return TakeNumber(view);
}

}  // namespace dynamo
