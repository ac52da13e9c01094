// What this process may use of the machine: the container's limits, where it runs
// in one.
#ifndef DYNAMO_NODE_ADAPTER_MACHINE_H_
#define DYNAMO_NODE_ADAPTER_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dynamo {

// Cores by the control group's quota and by affinity, rounded up; at least 1.
// `cgroup`: the folder of the process's control group (version 2).
uint32_t UsableCores(const std::string& cgroup = "/sys/fs/cgroup");

// nullopt: no limit.
std::optional<uint64_t> MemoryLimitBytes(const std::string& cgroup = "/sys/fs/cgroup");

// The text of cpu.max, "quota period" in microseconds; nullopt: "max", or malformed.
std::optional<uint32_t> ParseCpuMax(std::string_view text);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_MACHINE_H_
