#include "node/core/replication/hint.h"

#include "node/core/version/object.h"

namespace dynamo {
namespace {

bool Covers(const Bytes& a, const Bytes& b) {
  const auto newer = DecodeObjectHeader(a);
  const auto older = DecodeObjectHeader(b);
  return newer && older && Dominates(*newer, *older);
}

}  // namespace

HintAdmission AdmitHint(NodeId owner, const Bytes& object, const std::vector<Hint>& existing) {
  const Hash128 digest = DigestOf(object);
  HintAdmission admission;
  for (const Hint& hint : existing) {
    if (hint.owner != owner) continue;
    if (hint.digest == digest || Covers(hint.object, object)) return {.needed = false, .superseded = {}};
    if (Covers(object, hint.object)) admission.superseded.push_back(&hint);
  }
  return admission;
}

std::vector<const Hint*> HintsDelivered(NodeId owner, const Hash128& digest, const std::vector<Hint>& existing) {
  std::vector<const Hint*> delivered;
  for (const Hint& hint : existing) {
    if (hint.owner == owner && hint.digest == digest) delivered.push_back(&hint);
  }
  return delivered;
}

}  // namespace dynamo
