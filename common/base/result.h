// Expected failures as values: Result<T> and Status.
//
// Callers choose by code; people read the message, which says what was tried,
// on what, and what to do. Exceptions never cross a layer's border.
#ifndef DYNAMO_COMMON_BASE_RESULT_H_
#define DYNAMO_COMMON_BASE_RESULT_H_

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace dynamo {

enum class Errc {
  kInvalidArgument = 1,  // The caller's request can never succeed as it stands.
  kNotFound,             // What was asked for is known not to exist.
  kAlreadyExists,        // Something is in the way, for instance a cluster on this disk.
  kConflict,             // A condition of the request does not hold (conditional put).
  kBadContext,           // A causal context that is forged, cut, or of another key.
  kQuorumUnmet,          // Too few replicas answered; see QuorumShortfall.
  kTimeout,              // The deadline passed; a write may still take effect.
  kUnavailable,          // The peer is away, or this node cannot serve yet. Retryable.
  kOverloaded,           // Shed early, before any effect. Retryable.
  kTooManySiblings,      // The object holds as many siblings as the limit allows.
  kTooLarge,             // Over a size limit.
  kReadOnly,             // The disk is full; reads go on.
  kCorrupt,              // A checksum or a format does not hold.
  kStorage,              // The disk or the storage engine failed.
  kWrongCluster,         // A message or a disk of another cluster.
  kNotOwner,             // The node is no replica for this key at its epoch.
  kNotReady,             // The replica is being rebuilt: its absence of data proves nothing.
  kUnsupported,          // Known, but not offered by this version.
  kInternal,             // A bug.
};

// "kQuorumUnmet" -> "quorum_unmet"; stable, used in logs, JSON and between nodes.
std::string_view ErrcName(Errc code);

struct Error {
  Errc code = Errc::kInternal;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// return Fail(Errc::kInvalidArgument, "N must be at least 1");
inline tl::unexpected<Error> Fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

// Passes an error on to a caller with another value type.
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_RESULT_H_
