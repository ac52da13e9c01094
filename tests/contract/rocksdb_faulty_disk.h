// A disk under RocksDB that fails, fills up, and loses what was not synced when the
// power goes.
#ifndef DYNAMO_TESTS_CONTRACT_ROCKSDB_FAULTY_DISK_H_
#define DYNAMO_TESTS_CONTRACT_ROCKSDB_FAULTY_DISK_H_

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "common/base/random.h"

namespace dynamo {

// Passes everything on to the real file system, where the faults below allow it.
// May be used from any thread.
class FaultyDisk : public rocksdb::FileSystemWrapper {
 public:
  using IOStatus = rocksdb::IOStatus;

  FaultyDisk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyDisk"; }

  std::atomic<bool> fail_syncs{false};
  std::atomic<bool> fail_folder_syncs{false};
  std::atomic<bool> fail_appends{false};
  std::atomic<bool> fail_reads{false};
  std::atomic<bool> full{false};
  // What it says is free, unless it is full.
  std::atomic<uint64_t> free_bytes{uint64_t{1} << 40};
  // How often it was asked for the free space.
  std::atomic<int> space_checks{0};
  // Syncs of files that were asked for, failed ones too.
  std::atomic<int> syncs{0};

  // From now on nothing reaches the disk: what a process does between the loss of
  // power and its end.
  void Freeze() { frozen_ = true; }

  // Once the database is closed: each file keeps a random part of what was written
  // after its last sync; files that their folder was not synced after are gone.
  void LosePower(Rng* rng) {
    std::lock_guard lock(mutex_);
    for (const auto& [path, file] : files_) {
      if (!std::filesystem::exists(path)) continue;
      if (!file.in_folder) {
        std::filesystem::remove(path);
      } else {
        std::filesystem::resize_file(path, file.synced + rng->Below(file.written - file.synced + 1));
      }
    }
    files_.clear();
    frozen_ = false;
  }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) override {
    if (frozen_) return Gone();
    if (full) return NoSpace();
    IOStatus opened = target()->NewWritableFile(path, options, file, debug);
    if (!opened.ok()) return opened;
    std::lock_guard lock(mutex_);
    files_[path] = {};
    *file = std::make_unique<File>(this, path, std::move(*file));
    return opened;
  }

  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                               rocksdb::IODebugContext* debug) override {
    IOStatus opened = target()->NewRandomAccessFile(path, options, file, debug);
    if (opened.ok()) *file = std::make_unique<Reader>(this, std::move(*file));
    return opened;
  }

  IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* folder, rocksdb::IODebugContext* debug) override {
    IOStatus opened = target()->NewDirectory(path, options, folder, debug);
    if (opened.ok()) *folder = std::make_unique<Folder>(this, path, std::move(*folder));
    return opened;
  }

  IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                      rocksdb::IODebugContext* debug) override {
    if (frozen_) return Gone();
    IOStatus renamed = target()->RenameFile(from, to, options, debug);
    std::lock_guard lock(mutex_);
    if (auto moved = files_.extract(from); renamed.ok() && moved) {
      moved.key() = to;
      files_.erase(to);
      files_.insert(std::move(moved));
    }
    return renamed;
  }

  IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                      rocksdb::IODebugContext* debug) override {
    if (frozen_) return Gone();
    {
      std::lock_guard lock(mutex_);
      files_.erase(path);
    }
    return target()->DeleteFile(path, options, debug);
  }

  IOStatus GetFreeSpace(const std::string&, const rocksdb::IOOptions&, uint64_t* bytes,
                        rocksdb::IODebugContext*) override {
    ++space_checks;
    *bytes = full ? 0 : free_bytes.load();
    return IOStatus::OK();
  }

 private:
  struct FileState {
    uint64_t written = 0;
    uint64_t synced = 0;
    bool in_folder = false;  // Its name would survive.
  };

  static IOStatus Gone() { return IOStatus::IOError("the power is gone"); }
  static IOStatus NoSpace() {
    IOStatus status = IOStatus::NoSpace("injected");
    status.SetRetryable(true);  // As the POSIX file system says it.
    return status;
  }

  class File : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(FaultyDisk* disk, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

    IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                    rocksdb::IODebugContext* debug) override {
      if (disk_->frozen_) return Gone();
      if (disk_->full) return NoSpace();
      if (disk_->fail_appends) return IOStatus::IOError("injected append failure");
      IOStatus appended = target()->Append(data, options, debug);
      if (appended.ok()) disk_->Change(path_, [&](FileState& state) { state.written += data.size(); });
      return appended;
    }
    IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options, const rocksdb::DataVerificationInfo&,
                    rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      ++disk_->syncs;
      if (disk_->frozen_) return Gone();
      if (disk_->fail_syncs) return IOStatus::IOError("injected sync failure");
      uint64_t covered = 0;
      disk_->Change(path_, [&](FileState& state) { covered = state.written; });
      IOStatus synced = target()->Sync(options, debug);
      if (synced.ok()) disk_->Change(path_, [&](FileState& state) { state.synced = std::max(state.synced, covered); });
      return synced;
    }
    IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      return Sync(options, debug);
    }
    // Starts the writing early; promises nothing.
    IOStatus RangeSync(uint64_t, uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      return IOStatus::OK();
    }

   private:
    FaultyDisk* disk_;
    std::string path_;
  };

  class Reader : public rocksdb::FSRandomAccessFileOwnerWrapper {
   public:
    Reader(FaultyDisk* disk, std::unique_ptr<rocksdb::FSRandomAccessFile> file)
        : FSRandomAccessFileOwnerWrapper(std::move(file)), disk_(disk) {}

    IOStatus Read(uint64_t offset, size_t size, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                  char* scratch, rocksdb::IODebugContext* debug) const override {
      if (disk_->fail_reads) return IOStatus::IOError("injected read failure");
      return target()->Read(offset, size, options, result, scratch, debug);
    }

   private:
    FaultyDisk* disk_;
  };

  class Folder : public rocksdb::FSDirectoryWrapper {
   public:
    Folder(FaultyDisk* disk, std::string path, std::unique_ptr<rocksdb::FSDirectory> folder)
        : FSDirectoryWrapper(std::move(folder)), disk_(disk), path_(std::move(path)) {}

    IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      IOStatus synced = disk_->SyncFolder(path_);
      return synced.ok() ? FSDirectoryWrapper::Fsync(options, debug) : synced;
    }
    IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                                 const rocksdb::DirFsyncOptions& why) override {
      IOStatus synced = disk_->SyncFolder(path_);
      return synced.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, debug, why) : synced;
    }

   private:
    FaultyDisk* disk_;
    std::string path_;
  };

  template <class Edit>
  void Change(const std::string& path, Edit edit) {
    std::lock_guard lock(mutex_);
    // A file that was deleted while open is nobody's concern.
    if (const auto found = files_.find(path); found != files_.end()) edit(found->second);
  }

  IOStatus SyncFolder(const std::string& path) {
    if (frozen_) return Gone();
    if (fail_folder_syncs) return IOStatus::IOError("injected folder sync failure");
    std::lock_guard lock(mutex_);
    for (auto& [name, file] : files_) {
      const auto folder = std::filesystem::path(name).parent_path();
      if (folder.lexically_normal() == (std::filesystem::path(path) / "").lexically_normal().parent_path()) {
        file.in_folder = true;
      }
    }
    return IOStatus::OK();
  }

  std::atomic<bool> frozen_{false};
  std::mutex mutex_;
  std::map<std::string, FileState> files_;  // Written since the last loss of power. Guarded by mutex_.
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_CONTRACT_ROCKSDB_FAULTY_DISK_H_
