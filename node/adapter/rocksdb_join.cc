#include "node/adapter/rocksdb_join.h"

#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "node/core/version/object.h"

namespace dynamo {
namespace {

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Bytes KeepPieces(const std::vector<rocksdb::Slice>& pieces) {
  Bytes kept(1, JoinOperator::kPiecesVersion);
  ByteWriter writer(&kept);
  for (const rocksdb::Slice& piece : pieces) writer.String(View(piece));
  return kept;
}

}  // namespace

bool JoinOperator::FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const {
  std::vector<rocksdb::Slice> pieces;
  pieces.reserve(in.operand_list.size() + 1);
  if (in.existing_value != nullptr) pieces.push_back(*in.existing_value);
  pieces.insert(pieces.end(), in.operand_list.begin(), in.operand_list.end());
  if (pieces.size() == 1) {
    out->existing_operand = pieces.front();
    return true;
  }
  Bytes joined;
  std::string_view so_far = View(pieces.front());
  for (size_t i = 1; i < pieces.size(); ++i) {
    Result<Bytes> next = JoinEncoded(so_far, View(pieces[i]));
    if (!next) {
      out->new_value = KeepPieces(pieces);
      return true;
    }
    joined = std::move(*next);
    so_far = joined;
  }
  out->new_value = std::move(joined);
  return true;
}

bool JoinOperator::PartialMerge(const rocksdb::Slice&, const rocksdb::Slice& left, const rocksdb::Slice& right,
                                std::string* out, rocksdb::Logger*) const {
  Result<Bytes> joined = JoinEncoded(View(left), View(right));
  if (!joined) return false;
  *out = std::move(*joined);
  return true;
}

}  // namespace dynamo
