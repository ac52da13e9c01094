#include "tools/bench/cpu.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace dynamo::bench {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// The fields of /proc/PID/stat after the name, which may hold spaces.
Result<std::vector<std::string>> StatOf(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  if (!std::getline(file, line)) return Fail(Errc::kNotFound, fmt::format("there is no process {}", process));
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  if (fields.size() < 22) return Fail(Errc::kInternal, fmt::format("/proc/{}/stat is malformed", process));
  return fields;
}

}  // namespace

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

Result<double> CpuSecondsOf(const std::vector<pid_t>& processes) {
  double ticks = 0;
  for (pid_t process : processes) {
    const auto fields = StatOf(process);
    if (!fields) return Fail(fields.error());
    ticks += std::stod((*fields)[11]) + std::stod((*fields)[12]);  // utime, stime
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Result<double> ResidentBytesOf(const std::vector<pid_t>& processes) {
  double pages = 0;
  for (pid_t process : processes) {
    const auto fields = StatOf(process);
    if (!fields) return Fail(fields.error());
    pages += std::stod((*fields)[21]);  // rss
  }
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace dynamo::bench
