#include "common/tls/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace dynamo {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

Result<TlsFiles> ReadOnce(const std::string& folder) {
  TlsFiles files;
  auto certificate = ReadSmallFile(folder + "/tls.crt");
  if (!certificate) return Fail(std::move(certificate.error()));
  auto key = ReadSmallFile(folder + "/tls.key");
  if (!key) return Fail(std::move(key.error()));
  files.certificate = std::move(*certificate);
  files.key = std::move(*key);
  const std::string authorities = folder + "/ca.crt";
  std::error_code error;
  if (std::filesystem::exists(authorities, error)) {
    auto text = ReadSmallFile(authorities);
    if (!text) return Fail(std::move(text.error()));
    files.authorities = std::move(*text);
  }
  return files;
}

}  // namespace

Result<std::string> ReadSmallFile(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text;
  char chunk[4096];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) {
    text.append(chunk, static_cast<size_t>(in.gcount()));
    if (text.size() > kFileBytesMax) return Fail(Errc::kTooLarge, path + " is larger than 1 MiB");
  }
  if (!in.is_open() || in.bad()) {
    return Fail(Errc::kNotFound, "cannot read " + path + ": " + (errno != 0 ? std::strerror(errno) : "no such file"));
  }
  return text;
}

// The files of one set are exchanged one after the other, or by a link between two reads:
// what reads twice alike is one set.
Result<TlsFiles> ReadTlsFiles(const std::string& folder) {
  auto first = ReadOnce(folder);
  if (!first) return first;
  const auto second = ReadOnce(folder);
  if (!second || *second != *first) return Fail(Errc::kConflict, "the files in " + folder + " are being exchanged");
  return first;
}

}  // namespace dynamo
