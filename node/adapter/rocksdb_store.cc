#include "node/adapter/rocksdb_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "node/adapter/rocksdb_status.h"

namespace dynamo {
namespace {

// Opening says "invalid argument" when the file that names the current manifest,
// or a column family, is missing; and a missing table is an error of the disk.
bool IsDamage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsInvalidArgument() || status.IsPathNotFound() || status.IsNotFound();
}

Error Damaged(const std::string& folder, const std::string& what) {
  return {Errc::kCorrupt, fmt::format("the database in the data folder {} is damaged: {}; it was left as it is: "
                                      "restore it, or let this node start again on an empty folder",
                                      folder, what)};
}

Error OpenError(const rocksdb::Status& status, const std::string& folder) {
  if (IsDamage(status)) return Damaged(folder, status.ToString());
  return ToError(status, "open the database in the data folder " + folder);
}

}  // namespace

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::Open(StoreSettings settings, Logger log, Metrics* metrics,
                                                         StoreHooks hooks) {
  Result<DataFolder> folder = DataFolder::Open(settings.folder);
  if (!folder) return Fail(std::move(folder.error()));
  std::unique_ptr<RocksdbStore> store(new RocksdbStore(std::move(settings), std::move(*folder)));
  Status opened = store->OpenDatabase(std::move(log), metrics, std::move(hooks));
  if (!opened) return Fail(std::move(opened.error()));
  return store;
}

Status RocksdbStore::OpenDatabase(Logger log, Metrics* metrics, StoreHooks hooks) {
  if (!hooks.stop) hooks.stop = [](const std::string&) { std::abort(); };
  if (hooks.env == nullptr) hooks.env = rocksdb::Env::Default();
  health_ = std::make_shared<StoreHealth>(log, metrics, std::move(hooks.stop));

  std::error_code ignored;
  if (folder_.fresh()) {
    // What an earlier start that was cut short has left; nobody ever used it.
    std::filesystem::remove_all(folder_.store_path(), ignored);
    std::filesystem::create_directory(folder_.store_path(), ignored);
  } else if (!std::filesystem::exists(folder_.store_path() + "/CURRENT", ignored)) {
    return Fail(Damaged(settings_.folder, "the file store/CURRENT is missing"));
  }
  rocksdb::DBOptions options = DatabaseOptions(settings_.memory, hooks.env, health_, log);
  options.create_if_missing = folder_.fresh();
  options.create_missing_column_families = folder_.fresh();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(options, folder_.store_path(), ColumnFamilies(settings_.memory), &families_, &db);
  if (!opened.ok()) return Fail(OpenError(opened, settings_.folder));
  db_.reset(db);
  if (folder_.fresh()) {
    if (Status ready = folder_.MarkReady(); !ready) return ready;
  }

  SyncerSettings syncing = settings_.syncer;
  if (syncing.free_bytes_min == 0) syncing.free_bytes_min = settings_.memory.write_buffer_bytes;
  syncer_ = std::make_unique<RocksdbSyncer>(syncing, db_.get(), health_.get(), metrics);
  health_->set_on_read_only([syncer = syncer_.get()] { syncer->Wake(); });
  syncer_->Wake();  // It may have become so before.
  readers_ = std::make_unique<asio::thread_pool>(static_cast<size_t>(std::max(settings_.reader_threads, 1)));
  return {};
}

RocksdbStore::~RocksdbStore() {
  if (readers_) readers_->join();
  if (!db_) return;
  health_->set_on_read_only(nullptr);
  syncer_.reset();
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  db_.reset();
}

}  // namespace dynamo
