#include "node/service/condition.h"

#include <algorithm>

namespace dynamo {

Status CheckPutCondition(const PutCondition& condition, const Object& found, const ContextSigner& signer,
                         std::string_view storage_key) {
  const bool absent = found.never_written() || found.deleted();
  switch (condition.kind) {
    case PutCondition::Kind::kNone: return {};
    case PutCondition::Kind::kAbsent:
      if (absent) return {};
      return Fail(Errc::kConflict, "match_found: the key exists");
    case PutCondition::Kind::kUnmodified: {
      const Result<CausalContext> read = signer.Verify(condition.value, storage_key);
      if (!read) return Fail(read.error());
      if (absent) return Fail(Errc::kConflict, "notfound: the key does not exist");
      if (*read == ContextOf(found)) return {};
      return Fail(Errc::kConflict, "modified: the key was written since it was read");
    }
    case PutCondition::Kind::kMatchesTag: {
      const bool matches = std::any_of(found.siblings.begin(), found.siblings.end(), [&](const Sibling& sibling) {
        return !sibling.tombstone && EntityTagOf(sibling) == condition.value;
      });
      if (matches) return {};
      return Fail(Errc::kConflict, "modified: no sibling has the entity tag");
    }
  }
  return Fail(Errc::kInvalidArgument, "unknown condition");
}

}  // namespace dynamo
