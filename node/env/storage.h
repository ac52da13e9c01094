// The disk as a port: one instance for each shard of a node, over one store.
#ifndef DYNAMO_NODE_ENV_STORAGE_H_
#define DYNAMO_NODE_ENV_STORAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/env/async.h"

namespace dynamo {

enum class ColumnFamily : uint8_t { kObjects = 0, kHints = 1, kMeta = 2 };

struct WriteOp {
  // kMerge joins `value`, an encoded object (core/version/object.h), with what is
  // there; kObjects only.
  enum class Kind : uint8_t { kPut, kMerge, kDelete };
  Kind kind = Kind::kPut;
  ColumnFamily family = ColumnFamily::kObjects;
  Bytes key;
  Bytes value;
};
// Applied whole or not at all.
using WriteOps = std::vector<WriteOp>;

struct KeyValue {
  Bytes key;
  Bytes value;
};

// Counts writes of this shard; what Sync waits for.
using WriteSequence = uint64_t;

// Errors of all: kStorage (the engine or the disk), kCorrupt (a checksum: never to
// be taken for "not found"), kReadOnly (writes only: the disk is full).
class Storage {
 public:
  virtual ~Storage() = default;

  // The value, or that there is none, if memory alone can tell; nullopt: ask Get.
  // Sees every write that has resumed from Write, and no other.
  virtual std::optional<Result<std::optional<Bytes>>> TryGet(ColumnFamily family, const Bytes& key) = 0;
  virtual Async<Result<std::optional<Bytes>>> Get(ColumnFamily family, Bytes key) = 0;

  // Keys in [begin, end) in byte order, from one snapshot; an empty `end` is the
  // end of the family. Stops once `max_items` or `max_bytes` is reached, after at
  // least one item: go on from the last key + '\0'.
  virtual Async<Result<std::vector<KeyValue>>> Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items,
                                                    size_t max_bytes) = 0;

  // Resumes once the operations are visible to reads. All writes that a shard
  // makes in one wake-up go down as one batch.
  virtual Async<Result<WriteSequence>> Write(WriteOps ops) = 0;

  // Resumes once everything up to `sequence` is on stable storage; one sync serves
  // all that wait. A sync that fails never returns: the process stops.
  virtual Async<Status> Sync(WriteSequence sequence) = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_STORAGE_H_
