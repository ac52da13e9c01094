// RocksDB's statuses as this project's errors.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_STATUS_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_STATUS_H_

#include <rocksdb/status.h>

#include <string_view>

#include "common/base/result.h"

namespace dynamo {

// `status` must be an error; `tried` says of what: "read from objects".
// kCorrupt: a checksum or a format; kReadOnly: no space; kStorage: all else. An
// error is never "not found": that is no error, and read before this is called.
Error ToError(const rocksdb::Status& status, std::string_view tried);

// The disk, or the quota, is full.
bool IsOutOfSpace(const rocksdb::Status& status);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_STATUS_H_
