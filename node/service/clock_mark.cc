#include "node/service/clock_mark.h"

#include <algorithm>
#include <string>

namespace dynamo {
namespace {

constexpr const char* kBegin = "hlc/";
constexpr const char* kEnd = "hlc0";  // '0' follows '/'.
constexpr size_t kShardsMax = 4096;

}  // namespace

WriteOp ClockMarkOp(ShardIndex shard, uint64_t mark) {
  WriteOp op{WriteOp::Kind::kPut, ColumnFamily::kMeta, kBegin + std::to_string(shard), {}};
  ByteWriter(&op.value).U64(mark);
  return op;
}

Async<Result<uint64_t>> LoadClockMark(Storage* storage) {
  const auto found = co_await storage->Scan(ColumnFamily::kMeta, kBegin, kEnd, kShardsMax, 1u << 20);
  if (!found) co_return Fail(found.error());
  uint64_t highest = 0;
  for (const KeyValue& entry : *found) {
    ByteReader in(entry.value);
    const uint64_t mark = in.U64();
    if (!in.at_end()) co_return Fail(Errc::kCorrupt, "the clock's mark under " + entry.key + " is malformed");
    highest = std::max(highest, mark);
  }
  co_return highest;
}

}  // namespace dynamo
