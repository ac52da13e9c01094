// What a request asks for, completed from the bucket's properties and checked
// against the N that there is.
#ifndef DYNAMO_NODE_SERVICE_REQUEST_OPTIONS_H_
#define DYNAMO_NODE_SERVICE_REQUEST_OPTIONS_H_

#include "node/core/replication/quorum.h"
#include "node/env/request_handler.h"

namespace dynamo {

struct ResolvedRead {
  ReadQuorum quorum;
  bool notfound_ok = true;
  bool basic_quorum = false;
  bool sloppy = true;
};
// `effective_n`: min(n_val, members). kInvalidArgument, in the words clients match.
Result<ResolvedRead> ResolveRead(const ReadOptions& options, const BucketProperties& properties, uint32_t effective_n);
Result<WriteQuorum> ResolveWrite(const WriteOptions& options, const BucketProperties& properties, uint32_t effective_n);

// The N a request names: the type's, or for a read one that is lower.
Result<uint32_t> NForRead(const ReadOptions& options, const BucketProperties& properties);
Status CheckNForWrite(const WriteOptions& options, const BucketProperties& properties);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REQUEST_OPTIONS_H_
