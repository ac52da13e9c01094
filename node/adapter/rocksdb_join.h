// The join of objects as RocksDB's merge operator, for writes that cannot read
// first (dynamo.md's cache misses and bulk loads).
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_JOIN_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_JOIN_H_

#include <rocksdb/merge_operator.h>

#include <string>

namespace dynamo {

// Never fails: RocksDB answers a failed merge by refusing every write to the whole
// node, so one rotten object would take all others with it. Where a value cannot be
// joined because it does not decode, all pieces are kept, length-prefixed, behind a
// version byte that no object has. DecodeObject refuses that as kCorrupt, which is
// the truth; nothing is lost, and a repair overwrites it with a put.
class JoinOperator final : public rocksdb::MergeOperator {
 public:
  static constexpr char kPiecesVersion = 0;

  const char* Name() const override { return "dynamo.join.1"; }
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override;
  // Two operands into one; false keeps both as they are, which loses nothing.
  bool PartialMerge(const rocksdb::Slice& key, const rocksdb::Slice& left, const rocksdb::Slice& right,
                    std::string* out, rocksdb::Logger* log) const override;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_JOIN_H_
