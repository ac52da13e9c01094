// What this process may use of the machine: the container's limits, where it runs
// in one.
#ifndef DYNAMO_NODE_ADAPTER_MACHINE_H_
#define DYNAMO_NODE_ADAPTER_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dynamo {

// `cgroup` is where the container's control groups are mounted: the group itself of
// version 2, or of version 1 the folder that holds cpu/ and memory/.

// Cores by the control group's quota and by affinity, rounded up; at least 1.
uint32_t UsableCores(const std::string& cgroup = "/sys/fs/cgroup");

// nullopt: no limit.
std::optional<uint64_t> MemoryLimitBytes(const std::string& cgroup = "/sys/fs/cgroup");

// The texts of version 1's cpu.cfs_quota_us and cpu.cfs_period_us; nullopt: no limit (-1), or
// malformed.
std::optional<uint32_t> ParseCpuQuota(std::string_view quota, std::string_view period);
// The text of cpu.max, "quota period" in microseconds; nullopt: "max", or malformed.
std::optional<uint32_t> ParseCpuMax(std::string_view text);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_MACHINE_H_
