#include "common/base/result.h"

namespace dynamo {

std::string_view ErrcName(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument: return "invalid_argument";
    case Errc::kNotFound: return "not_found";
    case Errc::kAlreadyExists: return "already_exists";
    case Errc::kConflict: return "conflict";
    case Errc::kBadContext: return "bad_context";
    case Errc::kQuorumUnmet: return "quorum_unmet";
    case Errc::kTimeout: return "timeout";
    case Errc::kUnavailable: return "unavailable";
    case Errc::kOverloaded: return "overloaded";
    case Errc::kTooManySiblings: return "too_many_siblings";
    case Errc::kTooLarge: return "too_large";
    case Errc::kReadOnly: return "read_only";
    case Errc::kCorrupt: return "corrupt";
    case Errc::kStorage: return "storage";
    case Errc::kWrongCluster: return "wrong_cluster";
    case Errc::kNotOwner: return "not_owner";
    case Errc::kNotReady: return "not_ready";
    case Errc::kUnsupported: return "unsupported";
    case Errc::kInternal: return "internal";
  }
  return "unknown";
}

}  // namespace dynamo
