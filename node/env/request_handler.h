// What the doors (HTTP, Protocol Buffers) ask of a node: Dynamo's get and put
// (section 4.5), with Riak's options. One instance for each shard; any shard of
// any node takes any request.
#ifndef DYNAMO_NODE_ENV_REQUEST_HANDLER_H_
#define DYNAMO_NODE_ENV_REQUEST_HANDLER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "node/core/replication/quorum.h"
#include "node/core/version/object.h"
#include "node/core/version/object_key.h"
#include "node/env/async.h"

namespace dynamo {

// Unset values are taken from the bucket's properties.
struct ReadOptions {
  QuorumValue r, pr, node_confirms;
  std::optional<bool> basic_quorum;
  std::optional<bool> notfound_ok;
  std::optional<bool> sloppy_quorum;
  std::optional<uint32_t> n_val;  // May only lower N.
  std::optional<Duration> timeout;
};

struct WriteOptions {
  QuorumValue w, dw, pw, node_confirms;
  std::optional<bool> sloppy_quorum;
  std::optional<uint32_t> n_val;
  std::optional<Duration> timeout;
};

struct GetRequest {
  ObjectKey key;
  ReadOptions options;
};

// Who took part, for those who ask.
struct Participants {
  NodeId coordinator;
  std::vector<NodeId> replicas;  // Those that answered before the verdict.
};

struct GetReply {
  // never_written(): not found. deleted(): only tombstones are left.
  Object object;
  Bytes context;  // Signed token; empty if never written.
  Participants participants;
};

// A condition is checked at the coordinator by a read before the write: not a
// transaction.
struct PutCondition {
  enum class Kind : uint8_t {
    kNone,
    kAbsent,      // If-None-Match: *; if_none_match.
    kUnmodified,  // X-Riak-If-Not-Modified; if_not_modified: `value` is the token of the last read.
    kMatchesTag,  // If-Match: `value` is the entity tag (see EntityTagOf).
  };
  Kind kind = Kind::kNone;
  Bytes value;
};

struct PutRequest {
  ObjectKey key;
  Content content;
  Bytes context;  // Token of the read this write follows; empty: concurrent with all there is.
  PutCondition condition;
  WriteOptions options;
  bool return_object = false;
};

struct PutReply {
  Bytes context;
  std::optional<Object> object;  // With return_object: the state after the write.
  Participants participants;
};

struct DeleteRequest {
  ObjectKey key;
  Bytes context;  // Empty: of what a read finds first.
  ReadOptions read_options;
  WriteOptions options;
};

// Properties of a bucket as Riak names them. `n_val` and `policy` come from the
// bucket type and cannot be set for one bucket.
struct BucketProperties {
  uint32_t n_val = 3;
  ConflictPolicy policy = ConflictPolicy::kSiblings;
  QuorumValue r = QuorumValue::Quorum();
  QuorumValue w = QuorumValue::Quorum();
  QuorumValue dw = QuorumValue::Quorum();
  QuorumValue rw = QuorumValue::Quorum();
  QuorumValue pr = QuorumValue::Number(0);
  QuorumValue pw = QuorumValue::Number(0);
  QuorumValue node_confirms = QuorumValue::Number(0);
  bool basic_quorum = false;
  bool notfound_ok = true;
  bool sloppy_quorum = true;

  friend bool operator==(const BucketProperties&, const BucketProperties&) = default;
};

// Only what is set is changed.
struct BucketPropertiesChange {
  std::optional<QuorumValue> r, w, dw, rw, pr, pw, node_confirms;
  std::optional<bool> basic_quorum, notfound_ok;
  bool reset = false;  // First forget all that was set for this bucket.
};

// Errors of all three operations:
//  kInvalidArgument  empty type, bucket or key; a quorum of 0 or above N
//  kNotFound         no such bucket type
//  kBadContext       see ContextSigner; nothing was changed
//  kConflict         the condition does not hold; nothing was changed
//  kTooManySiblings, kTooLarge, kReadOnly, kOverloaded: nothing was changed
//  kQuorumUnmet      the message is Riak's, "{w_val_unsatisfied,2,1}" first; a write may still appear later
//  kTimeout          says how many of how many answered; a write may still appear later
//  kUnavailable      this node is of no cluster yet, or nobody could be reached; nothing was changed
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  virtual Async<Result<GetReply>> Get(GetRequest request) = 0;
  virtual Async<Result<PutReply>> Put(PutRequest request) = 0;
  // Deleting what does not exist succeeds.
  virtual Async<Status> Delete(DeleteRequest request) = 0;

  // kNotFound: no such bucket type. kUnavailable: this node is of no cluster yet.
  virtual Result<BucketProperties> GetProperties(const std::string& type, const std::string& bucket) = 0;
  virtual Async<Status> SetProperties(std::string type, std::string bucket, BucketPropertiesChange change) = 0;

  virtual NodeId node_id() const = 0;
  // This node is about to leave the cluster, or has left: clients had better ask another.
  virtual bool Parting() const = 0;
};

// The entity tag (Riak's vtag) of one sibling: names its dot; 22 characters at
// most, of [0-9A-Za-z].
std::string EntityTagOf(const Sibling& sibling);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_REQUEST_HANDLER_H_
