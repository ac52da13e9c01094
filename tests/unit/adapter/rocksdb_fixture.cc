#include "tests/unit/adapter/rocksdb_fixture.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace dynamo {

namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

std::vector<std::string> FilesIn(const std::string& folder, const std::string& suffix) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(suffix)) found.push_back(entry.path().string());
  }
  return found;
}

std::map<std::string, std::string> ContentsOf(const std::string& folder) {
  std::map<std::string, std::string> contents;
  for (const std::string& file : FilesIn(folder, "")) contents[fs::relative(file, folder).string()] = ReadFile(file);
  return contents;
}

StoreSettings SettingsFor(const std::string& folder) {
  StoreSettings settings;
  settings.folder = folder;
  settings.memory = {.write_buffer_bytes = 1 << 20, .block_cache_bytes = 1 << 20};
  settings.syncer.recovery_interval = std::chrono::milliseconds(10);
  settings.reader_threads = 2;
  return settings;
}

void TestShard::Settle() {
  io_.restart();
  io_.poll();
  while (storage_.Commit()) {
    io_.restart();
    io_.poll();
  }
}

void TestShard::WakeUp() {
  io_.restart();
  io_.run_one_for(std::chrono::seconds(10));
  Settle();
}

Result<WriteSequence> TestShard::WriteOne(WriteOp op) {
  WriteOps ops;
  ops.push_back(std::move(op));
  return Run(storage_.Write(std::move(ops)));
}

Result<WriteSequence> TestShard::Put(ColumnFamily family, Bytes key, Bytes value) {
  return WriteOne({WriteOp::Kind::kPut, family, std::move(key), std::move(value)});
}

Result<WriteSequence> TestShard::Merge(Bytes key, Bytes value) {
  return WriteOne({WriteOp::Kind::kMerge, ColumnFamily::kObjects, std::move(key), std::move(value)});
}

Result<WriteSequence> TestShard::Delete(ColumnFamily family, Bytes key) {
  return WriteOne({WriteOp::Kind::kDelete, family, std::move(key), {}});
}

Status StoreFixture::Open() {
  Close();
  StoreHooks hooks;
  hooks.env = env_;
  hooks.stop = [this](const std::string& why) {
    std::lock_guard lock(mutex_);
    stopped_ = why;
  };
  Result<std::unique_ptr<RocksdbStore>> opened = RocksdbStore::Open(settings_, Logger(), &metrics_, hooks);
  if (!opened) return Fail(std::move(opened.error()));
  store_ = std::move(*opened);
  shard_ = std::make_unique<TestShard>(store_.get());
  return {};
}

void StoreFixture::Flush() {
  const rocksdb::Status flushed = store_->db().Flush(
      rocksdb::FlushOptions(), {store_->family(ColumnFamily::kObjects), store_->family(ColumnFamily::kHints),
                                store_->family(ColumnFamily::kMeta)});
  ASSERT_TRUE(flushed.ok()) << flushed.ToString();
}

std::string StoreFixture::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

Async<> SyncInto(Storage* storage, WriteSequence sequence, bool* done) {
  *done = (co_await storage->Sync(sequence)).has_value();
}

std::string Text(const std::optional<Result<std::optional<Bytes>>>& answer) {
  if (!answer) return "<disk>";
  if (!*answer) return "<" + std::string(ErrcName(answer->error().code)) + ">";
  return answer->value().value_or("<none>");
}

Bytes EncodedSibling(uint64_t actor, uint64_t counter, std::string value) {
  Object object;
  const Dot dot{ActorId{actor}, counter};
  object.clock.Add(dot);
  Sibling sibling;
  sibling.dot = dot;
  sibling.content.value = std::move(value);
  object.siblings.push_back(std::move(sibling));
  return EncodeObject(object);
}

int64_t GaugeValue(Metrics& metrics, const std::string& name) { return metrics.gauge(name, "").value(); }

}  // namespace dynamo
