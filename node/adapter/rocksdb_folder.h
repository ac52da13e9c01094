// The data folder of one node: whose it is, which format it has, who uses it now.
//
//   FORMAT  "dynamo-data 1": our mark. With " creating" after it until the first
//           start got as far as a store that can be opened again.
//   LOCK    locked while a node runs here; holds its process id.
//   store/  RocksDB's.
#ifndef DYNAMO_NODE_ADAPTER_ROCKSDB_FOLDER_H_
#define DYNAMO_NODE_ADAPTER_ROCKSDB_FOLDER_H_

#include <string>

#include "common/base/result.h"

namespace dynamo {

// Holds the lock for as long as it lives.
class DataFolder {
 public:
  static constexpr int kFormatVersion = 1;

  // Makes the folder if it does not exist. Errors, after which nothing in the folder
  // has been changed:
  //  kInvalidArgument  it holds files that are not ours, or is no folder
  //  kUnsupported      written by a newer version
  //  kCorrupt          our mark is there but cannot be understood
  //  kUnavailable      another process runs on it (named)
  //  kStorage          it cannot be read or written
  static Result<DataFolder> Open(const std::string& path);

  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&& other) noexcept;
  ~DataFolder();

  // No store has been completed here yet.
  bool fresh() const { return fresh_; }
  // From now on a missing store is a damaged one, never a reason to start anew.
  Status MarkReady();

  std::string store_path() const { return path_ + "/store"; }

 private:
  DataFolder(std::string path, bool fresh, int lock) : path_(std::move(path)), fresh_(fresh), lock_(lock) {}

  std::string path_;
  bool fresh_ = false;
  int lock_ = -1;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_ROCKSDB_FOLDER_H_
