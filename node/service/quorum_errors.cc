#include "node/service/quorum_errors.h"

#include <fmt/format.h>

namespace dynamo {

namespace {

std::string_view Words(Effect effect) { return effect == Effect::kPossible ? "; the write may still take effect" : ""; }

}  // namespace

Error QuorumUnmet(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key, Effect effect) {
  const QuorumShortfall s = shortfall.value_or(QuorumShortfall{});
  return {Errc::kQuorumUnmet,
          fmt::format("{} too few replicas of {} answered{}", RiakTerm(s), ToString(key), Words(effect))};
}

Error QuorumTimeout(const std::optional<QuorumShortfall>& shortfall, const ObjectKey& key, Effect effect) {
  const QuorumShortfall s = shortfall.value_or(QuorumShortfall{});
  return {Errc::kTimeout, fmt::format("timeout: {} of {} ({}) answered for {} in time{}", s.got, s.want, Name(s.which),
                                      ToString(key), Words(effect))};
}

}  // namespace dynamo
