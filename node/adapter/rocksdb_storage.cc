#include "node/adapter/rocksdb_storage.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "node/adapter/rocksdb_status.h"
#include "node/core/version/object.h"

namespace dynamo {
namespace {

using Found = Result<std::optional<Bytes>>;

// nullopt: only the disk can tell.
std::optional<Found> Lookup(RocksdbStore& store, rocksdb::ReadTier tier, ColumnFamily family, const Bytes& key) {
  rocksdb::ReadOptions options;
  options.read_tier = tier;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = store.db().Get(options, store.family(family), key, &value);
  if (status.ok()) return Found(Bytes(value.data(), value.size()));
  if (status.IsNotFound()) return Found(std::nullopt);
  if (status.IsIncomplete()) return std::nullopt;
  return Found(Fail(ToError(status, "read " + store.family(family)->GetName())));
}

struct ScanRange {
  ColumnFamily family = ColumnFamily::kObjects;
  Bytes begin;
  Bytes end;
  size_t max_items = 0;
  size_t max_bytes = 0;
};

Result<std::vector<KeyValue>> ScanNow(RocksdbStore& store, const ScanRange& range) {
  rocksdb::ReadOptions options;
  const rocksdb::Slice end(range.end);
  if (!range.end.empty()) options.iterate_upper_bound = &end;
  // Background work must not push out what the foreground reads.
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(store.db().NewIterator(options, store.family(range.family)));
  std::vector<KeyValue> found;
  size_t bytes = 0;
  for (at->Seek(range.begin); at->Valid(); at->Next()) {
    found.push_back({at->key().ToString(), at->value().ToString()});
    bytes += found.back().key.size() + found.back().value.size();
    if (found.size() >= range.max_items || bytes >= range.max_bytes) break;
  }
  // The end of the range and an error look alike to Valid().
  if (!at->status().ok()) return Fail(ToError(at->status(), "scan " + store.family(range.family)->GetName()));
  return found;
}

// What RocksDB will have to join must decode: see JoinOperator.
Status Validate(const WriteOps& ops) {
  for (const WriteOp& op : ops) {
    if (op.kind != WriteOp::Kind::kMerge) continue;
    if (op.family != ColumnFamily::kObjects) return Fail(Errc::kInvalidArgument, "only objects can be merged");
    if (Result<Object> object = DecodeObject(op.value); !object) return Fail(std::move(object.error()));
  }
  return {};
}

rocksdb::Status AppendOne(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family, const WriteOp& op) {
  switch (op.kind) {
    case WriteOp::Kind::kPut: return batch.Put(family, op.key, op.value);
    case WriteOp::Kind::kMerge: return batch.Merge(family, op.key, op.value);
    case WriteOp::Kind::kDelete: return batch.Delete(family, op.key);
  }
  return rocksdb::Status::InvalidArgument("unknown kind of operation");
}

}  // namespace

RocksdbStorage::RocksdbStorage(Scope* scope, RocksdbStore* store)
    : scope_(scope), store_(store), mailbox_(std::make_shared<ShardMailbox>(scope->executor())) {}

RocksdbStorage::~RocksdbStorage() { mailbox_->Close(); }

std::optional<Found> RocksdbStorage::TryGet(ColumnFamily family, const Bytes& key) {
  return Lookup(*store_, rocksdb::kBlockCacheTier, family, key);
}

// Runs read(store) on a reader thread and resumes with what it returns.
template <class T, class Read>
Async<Result<T>> RocksdbStorage::OnReaders(Read read) {
  // Shared: if the scope is killed meanwhile, the reader writes into nobody's frame.
  auto answer = std::make_shared<Result<T>>();
  co_await scope_->Suspend([&](Scope::Ticket ticket) {
    mailbox_->Expect();
    asio::post(store_->readers(),
               [this, ticket, answer, read = std::move(read), store = store_, mailbox = mailbox_]() mutable {
                 *answer = read(*store);
                 mailbox->Post([this, ticket] { scope_->Resume(ticket); });
               });
  });
  co_return std::move(*answer);
}

Async<Found> RocksdbStorage::Get(ColumnFamily family, Bytes key) {
  if (std::optional<Found> known = TryGet(family, key)) co_return std::move(*known);
  co_return co_await OnReaders<std::optional<Bytes>>([family, key = std::move(key)](RocksdbStore& store) {
    std::optional<Found> found = Lookup(store, rocksdb::kReadAllTier, family, key);
    return found ? std::move(*found) : Found(Fail(Errc::kStorage, "the disk was not asked"));
  });
}

Async<Result<std::vector<KeyValue>>> RocksdbStorage::Scan(ColumnFamily family, Bytes begin, Bytes end, size_t max_items,
                                                          size_t max_bytes) {
  ScanRange range{family, std::move(begin), std::move(end), max_items, max_bytes};
  co_return co_await OnReaders<std::vector<KeyValue>>(
      [range = std::move(range)](RocksdbStore& store) { return ScanNow(store, range); });
}

Status RocksdbStorage::Append(const WriteOps& ops) {
  if (store_->health().read_only()) {
    return Fail(Errc::kReadOnly, "cannot write: the disk is full; free some space, writes resume by themselves");
  }
  if (Status valid = Validate(ops); !valid) return valid;
  operations_.SetSavePoint();
  for (const WriteOp& op : ops) {
    const rocksdb::Status added = AppendOne(operations_, store_->family(op.family), op);
    if (added.ok()) continue;
    operations_.RollbackToSavePoint();
    return Fail(ToError(added, "queue a write"));
  }
  operations_.PopSavePoint();
  return {};
}

Async<Result<WriteSequence>> RocksdbStorage::Write(WriteOps ops) {
  if (Status queued = Append(ops); !queued) co_return Fail(std::move(queued.error()));
  ops.clear();
  const WriteSequence sequence = ++last_;
  const std::shared_ptr<Batch> batch = batch_;
  co_await scope_->Suspend([&](Scope::Ticket ticket) { batch->waiters.push_back(ticket); });
  if (batch->failure) co_return Fail(*batch->failure);
  co_return sequence;
}

Async<Status> RocksdbStorage::Sync(WriteSequence sequence) {
  DYNAMO_CHECK(sequence <= committed_);
  if (sequence <= synced_) co_return Status();
  co_await scope_->Suspend([&](Scope::Ticket ticket) { sync_waits_.push_back({ticket, sequence}); });
  co_return Status();
}

bool RocksdbStorage::Commit() {
  const bool wrote = WritePending();
  const bool synced = StartSync();
  return wrote || synced;
}

bool RocksdbStorage::WritePending() {
  if (batch_->waiters.empty()) return false;
  const std::shared_ptr<Batch> batch = std::exchange(batch_, std::make_shared<Batch>());
  rocksdb::Status status;
  if (operations_.Count() > 0) {
    status = store_->db().Write(rocksdb::WriteOptions(), &operations_);
    operations_.Clear();
    store_->syncer().NoteWrite();
  }
  committed_ = last_;
  if (!status.ok()) batch->failure = ToError(status, "write");
  for (const Scope::Ticket ticket : batch->waiters) scope_->Resume(ticket);
  return true;
}

bool RocksdbStorage::StartSync() {
  const bool wanted = std::any_of(sync_waits_.begin(), sync_waits_.end(),
                                  [this](const SyncWait& wait) { return wait.sequence > requested_; });
  if (!wanted) return false;
  requested_ = committed_;
  const bool alone = sync_waits_.size() == 1;
  if (store_->settings().sync_inline && alone && store_->syncer().TryInline()) {
    OnSynced(committed_);
    return true;
  }
  mailbox_->Expect();
  store_->syncer().Request(
      [this, through = committed_, mailbox = mailbox_] { mailbox->Post([this, through] { OnSynced(through); }); });
  return false;
}

void RocksdbStorage::OnSynced(WriteSequence through) {
  synced_ = std::max(synced_, through);
  std::erase_if(sync_waits_, [this](const SyncWait& wait) {
    if (wait.sequence > synced_) return false;
    scope_->Resume(wait.ticket);
    return true;
  });
}

}  // namespace dynamo
