// Processor time, of this process and of the servers measured.
#ifndef DYNAMO_TOOLS_BENCH_CPU_H_
#define DYNAMO_TOOLS_BENCH_CPU_H_

#include <sys/types.h>

#include <vector>

#include "common/base/result.h"

namespace dynamo::bench {

// User and system seconds so far.
double OwnCpuSeconds();
// Summed over the processes; kNotFound names one that is not there.
Result<double> CpuSecondsOf(const std::vector<pid_t>& processes);
// Resident bytes, summed.
Result<double> ResidentBytesOf(const std::vector<pid_t>& processes);

}  // namespace dynamo::bench

#endif  // DYNAMO_TOOLS_BENCH_CPU_H_
