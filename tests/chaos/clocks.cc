#include "tests/chaos/clocks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/chaos/command.h"

namespace dynamo::chaos {

std::vector<std::string> Clocks::EnvironmentOf(size_t node) const {
  return {"LD_PRELOAD=" + library_, "DYNAMO_CLOCK_STEP=" + FileOf(node)};
}

Status Clocks::Step(size_t node, int64_t seconds) {
  const int file = ::open(FileOf(node).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  // In one piece: programs have it mapped.
  const bool written = file >= 0 && ::pwrite(file, &seconds, sizeof(seconds), 0) == sizeof(seconds);
  if (file >= 0) ::close(file);
  return written ? Status() : Fail(Errc::kInternal, "cannot write " + FileOf(node));
}

Status Clocks::Try() {
  constexpr int64_t kStep = 5000;
  if (Status stepped = Step(0, kStep); !stepped) return stepped;
  const auto environment = EnvironmentOf(0);
  const auto said = Shell(fmt::format("{} {} python3 -c 'import time; print(int(time.time()), int(time.monotonic()))'",
                                      environment[0], environment[1]));
  if (!said) return Fail(said.error());
  char* rest = nullptr;
  const int64_t wall = std::strtoll(said->c_str(), &rest, 10) - ::time(nullptr);
  timespec steady = {};
  ::clock_gettime(CLOCK_MONOTONIC, &steady);
  const int64_t drift = std::strtoll(rest, nullptr, 10) - steady.tv_sec;
  if (std::abs(wall - kStep) <= 2 && std::abs(drift) <= 2) return Step(0, 0);
  return Fail(Errc::kInternal, fmt::format("clocks did not move by {} s and 0 s: {}", kStep, *said));
}

}  // namespace dynamo::chaos
