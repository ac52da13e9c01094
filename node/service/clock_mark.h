// The hybrid clock's high-water mark on disk, one for each shard of the node.
#ifndef DYNAMO_NODE_SERVICE_CLOCK_MARK_H_
#define DYNAMO_NODE_SERVICE_CLOCK_MARK_H_

#include <cstdint>

#include "node/env/shard_link.h"
#include "node/env/storage.h"

namespace dynamo {

// To go down in the same batch as the write whose stamp needs it.
WriteOp ClockMarkOp(ShardIndex shard, uint64_t mark);

// The highest mark of all shards: the number of shards, and with it which shard
// has which partition, may have changed since. Zero if there is none. kCorrupt.
Async<Result<uint64_t>> LoadClockMark(Storage* storage);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_CLOCK_MARK_H_
