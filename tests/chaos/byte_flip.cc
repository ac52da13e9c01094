#include "tests/chaos/byte_flip.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

namespace dynamo::chaos {
namespace {

namespace fs = std::filesystem;

// Synced: a power loss that comes later must not bring the other byte back.
Status WriteByte(const std::string& path, uint64_t offset, uint8_t byte) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = file >= 0 && ::pwrite(file, &byte, 1, static_cast<off_t>(offset)) == 1 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  return written ? Status() : Fail(Errc::kInternal, "cannot write a byte of " + path);
}

}  // namespace

Result<std::optional<ByteFlip>> FlipByte(const std::string& folder, const std::string& suffix, Rng& rng) {
  std::vector<std::pair<std::string, uint64_t>> files;
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || !entry.path().string().ends_with(suffix)) continue;
    files.emplace_back(entry.path().string(), entry.file_size());
    bytes += entry.file_size();
  }
  if (bytes == 0) return std::nullopt;
  std::ranges::sort(files);
  ByteFlip flip{.path = {}, .offset = rng.Below(bytes)};
  for (const auto& [path, size] : files) {
    flip.path = path;
    if (flip.offset < size) break;
    flip.offset -= size;
  }
  std::ifstream file(flip.path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(flip.offset));
  flip.before = static_cast<uint8_t>(file.get());
  if (!file) return Fail(Errc::kInternal, "cannot read a byte of " + flip.path);
  const auto after = static_cast<uint8_t>(flip.before ^ (1u << rng.Below(8)));
  if (Status written = WriteByte(flip.path, flip.offset, after); !written) return Fail(written.error());
  return flip;
}

Result<bool> Restore(const ByteFlip& flip) {
  if (!fs::exists(flip.path)) return false;
  if (Status written = WriteByte(flip.path, flip.offset, flip.before); !written) return Fail(written.error());
  return true;
}

}  // namespace dynamo::chaos
