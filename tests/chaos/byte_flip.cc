#include "tests/chaos/byte_flip.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

namespace dynamo::chaos {
namespace {

namespace fs = std::filesystem;

Status WriteByte(const std::string& path, uint64_t offset, uint8_t byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte));
  file.close();
  return file ? Status() : Fail(Errc::kInternal, "cannot write a byte of " + path);
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
