#include "operator/cluster/plan_steps.h"

#include <fmt/format.h>

#include <utility>

namespace dynamo::op {

Record To(Operation operation, Operation::Step step, std::string event, std::string message) {
  operation.step = step;
  return {std::move(operation), std::move(event), std::move(message)};
}

std::string Moved(const admin::Topology& ring) {
  return ring.to_move == 0 ? "" : fmt::format(": {} of {} partitions have moved", ring.moved, ring.to_move);
}

std::string Spoken(int64_t milliseconds) {
  const int64_t seconds = milliseconds / 1000;
  return seconds < 60 ? fmt::format("{}s", seconds) : fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

int64_t MillisecondsSince(const std::string& time, WallMicros now) {
  const auto then = kube::ParseTime(time);
  return then && *then < now ? static_cast<int64_t>((now - *then) / 1000) : 0;
}

}  // namespace dynamo::op
