#include "node/adapter/rocksdb_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace dynamo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "dynamo-data ";
constexpr std::string_view kCreating = " creating";

struct Found {
  bool marked = false;
  bool fresh = true;
};

tl::unexpected<Error> CannotUse(const std::string& path, int error) {
  return Fail(Errc::kStorage, fmt::format("cannot use the data folder {}: {}; give the node a folder that it may read "
                                          "and write",
                                          path, std::generic_category().message(error)));
}

std::string FormatPath(const std::string& path) { return path + "/FORMAT"; }

std::string FormatLine(bool creating) {
  return fmt::format("{}{}{}\n", kMagic, DataFolder::kFormatVersion, creating ? kCreating : "");
}

// The format version that the line names; 0: none.
int VersionIn(std::string_view line) {
  if (!line.starts_with(kMagic)) return 0;
  line.remove_prefix(kMagic.size());
  int version = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), version);
  return error == std::errc() ? version : 0;
}

Result<Found> ReadMark(const std::string& path) {
  std::ifstream file(FormatPath(path));
  if (!file) return CannotUse(FormatPath(path), errno);
  std::string line;
  std::getline(file, line, '\0');
  if (line == FormatLine(/*creating=*/false)) return Found{.marked = true, .fresh = false};
  if (line == FormatLine(/*creating=*/true)) return Found{.marked = true, .fresh = true};
  if (const int version = VersionIn(line); version > DataFolder::kFormatVersion) {
    return Fail(Errc::kUnsupported,
                fmt::format("the data folder {} has format {}, this program knows up to {}: use a newer version", path,
                            version, DataFolder::kFormatVersion));
  }
  return Fail(Errc::kCorrupt, fmt::format("{} does not say what it should: it is damaged, or not ours; nothing was "
                                          "changed",
                                          FormatPath(path)));
}

// What is in the folder, without changing anything.
Result<Found> Inspect(const std::string& path) {
  std::error_code error;
  std::optional<std::string> foreign;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == "FORMAT") return ReadMark(path);
    // A new ext4 volume is not quite empty; a start may have been cut short.
    const bool expected = name == "lost+found" || name == "LOCK" || name == "FORMAT.new";
    if (!expected && !foreign) foreign = name;
  }
  if (error) return CannotUse(path, error.value());
  if (foreign) {
    return Fail(Errc::kInvalidArgument, fmt::format("the data folder {} holds files that are not ours ('{}'); nothing "
                                                    "was changed: give an empty folder, or one of a dynamo-node",
                                                    path, *foreign));
  }
  return Found{};
}

std::string ReadAll(int file) {
  char text[32];
  const ssize_t size = ::pread(file, text, sizeof(text), 0);
  return {text, size > 0 ? static_cast<size_t>(size) : 0};
}

Result<int> Lock(const std::string& path) {
  const std::string name = path + "/LOCK";
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return CannotUse(path, errno);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    std::string owner = ReadAll(file);
    ::close(file);
    if (error != EWOULDBLOCK) return CannotUse(path, error);
    while (!owner.empty() && owner.back() == '\n') owner.pop_back();
    return Fail(Errc::kUnavailable,
                fmt::format("another dynamo-node runs on the data folder {} (pid {})", path, owner));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const int error = errno;
    ::close(file);
    return CannotUse(path, error);
  }
  return file;
}

// Makes what was created in it durable.
Status SyncFolder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return CannotUse(path, errno);
  const bool synced = ::fsync(folder) == 0;
  const int error = errno;
  ::close(folder);
  return synced ? Status() : CannotUse(path, error);
}

// Whole or not at all, and on the disk when it returns.
Status WriteMark(const std::string& path, bool creating) {
  const std::string line = FormatLine(creating);
  const std::string temporary = FormatPath(path) + ".new";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return CannotUse(path, errno);
  const bool written =
      ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  if (!written || ::rename(temporary.c_str(), FormatPath(path).c_str()) != 0) {
    return CannotUse(path, written ? errno : error);
  }
  return SyncFolder(path);
}

Status EnsureExists(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    return Fail(Errc::kInvalidArgument, fmt::format("the data folder {} is no folder", path));
  }
  const bool created = fs::create_directories(path, error);
  if (error) return CannotUse(path, error.value());
  return created ? SyncFolder(fs::absolute(path).parent_path().string()) : Status();
}

}  // namespace

Result<DataFolder> DataFolder::Open(const std::string& path) {
  if (Status exists = EnsureExists(path); !exists) return Fail(std::move(exists.error()));
  // Looked at before the lock file is made in it, and again when nobody else can
  // be at work there.
  if (Result<Found> before = Inspect(path); !before) return Fail(std::move(before.error()));
  Result<int> lock = Lock(path);
  if (!lock) return Fail(std::move(lock.error()));
  DataFolder folder(path, /*fresh=*/true, *lock);
  Result<Found> found = Inspect(path);
  if (!found) return Fail(std::move(found.error()));
  folder.fresh_ = found->fresh;
  if (!found->marked) {
    if (Status marked = WriteMark(path, /*creating=*/true); !marked) return Fail(std::move(marked.error()));
  }
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), fresh_(other.fresh_), lock_(std::exchange(other.lock_, -1)) {}

DataFolder& DataFolder::operator=(DataFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fresh_, other.fresh_);
  std::swap(lock_, other.lock_);
  return *this;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Status DataFolder::MarkReady() {
  if (Status marked = WriteMark(path_, /*creating=*/false); !marked) return marked;
  fresh_ = false;
  return {};
}

}  // namespace dynamo
