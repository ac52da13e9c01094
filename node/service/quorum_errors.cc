#include "node/service/quorum_errors.h"

#include <fmt/format.h>

namespace dynamo {

Error QuorumUnmet(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key) {
  const QuorumShortfall s = shortfall.value_or(QuorumShortfall{});
  return {Errc::kQuorumUnmet, fmt::format("{{{}_val_unsatisfied,{},{}}} too few replicas of {} answered", Name(s.which),
                                          s.want, s.got, ToString(key))};
}

Error QuorumTimeout(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key, bool write) {
  const QuorumShortfall s = shortfall.value_or(QuorumShortfall{});
  return {Errc::kTimeout, fmt::format("timeout: {} of {} ({}) answered for {} in time{}", s.got, s.want, Name(s.which),
                                      ToString(key), write ? "; the write may still take effect" : "")};
}

}  // namespace dynamo
