#include "node/core/replication/local_state.h"

namespace dynamo {

Result<Bytes> JoinStates(Bytes a, const Bytes& b) {
  if (b.empty()) return a;
  if (a.empty()) return b;
  return JoinEncoded(a, b);
}

Standing StandingOf(const ObjectHeader& known, const ObjectHeader& incoming) {
  if (Dominates(known, incoming)) return Standing::kCovered;
  return Dominates(incoming, known) ? Standing::kNewer : Standing::kUnknown;
}

bool SupersedesAll(const ObjectHeader& known, ConflictPolicy policy, const CausalContext& context) {
  if (known.never_written()) return true;
  if (known.policy != policy) return false;
  return known.policy == ConflictPolicy::kLastWriterWins || context.clock.Dominates(known.clock);
}

}  // namespace dynamo
