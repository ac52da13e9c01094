#include "node/adapter/rocksdb_status.h"

#include <fmt/format.h>

namespace dynamo {

bool IsOutOfSpace(const rocksdb::Status& status) {
  return status.IsNoSpace() || (status.IsIOError() && status.subcode() == rocksdb::Status::kSpaceLimit);
}

Error ToError(const rocksdb::Status& status, std::string_view tried) {
  if (IsOutOfSpace(status)) {
    return {Errc::kReadOnly,
            fmt::format("cannot {}: the disk is full ({}); free some space, writes resume by themselves", tried,
                        status.ToString())};
  }
  const Errc code = status.IsCorruption() ? Errc::kCorrupt : Errc::kStorage;
  return {code, fmt::format("cannot {}: {}", tried, status.ToString())};
}

}  // namespace dynamo
