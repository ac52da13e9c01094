#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

constexpr size_t kPositionBytes = 16;

// The key is last and takes the rest, so the boundaries are unambiguous.
void AppendParts(const ObjectKey& key, Bytes* out) {
  ByteWriter writer(out);
  writer.String(key.type);
  writer.String(key.bucket);
  writer.Raw(key.key);
}

void AppendEscaped(std::string_view part, bool escape_slash, std::string* out) {
  for (const char c : part) {
    const bool printable = c >= ' ' && c <= '~';
    if (printable && c != '\\' && !(escape_slash && c == '/')) {
      *out += c;
    } else {
      *out += "\\x" + ToHex(std::string_view(&c, 1));
    }
  }
}

}  // namespace

Hash128 PositionOf(const ObjectKey& key, uint64_t ring_seed) {
  Bytes parts;
  AppendParts(key, &parts);
  return HashOf(parts, ring_seed);
}

Bytes StorageKeyOf(const ObjectKey& key, uint64_t ring_seed) {
  Bytes out(kPositionBytes, '\0');
  AppendParts(key, &out);
  const Hash128 position = HashOf(std::string_view(out).substr(kPositionBytes), ring_seed);
  out.replace(0, kPositionBytes, ToBytes(position));
  return out;
}

Result<ObjectKey> ParseStorageKey(std::string_view storage_key) {
  ByteReader in(storage_key);
  in.Hash();
  ObjectKey key;
  key.type = in.String();
  key.bucket = in.String();
  key.key = in.Raw(in.remaining());
  if (!in.ok()) return Fail(Errc::kCorrupt, "parse storage key " + ToHex(storage_key) + ": malformed");
  return key;
}

Hash128 PositionOfStorageKey(std::string_view storage_key) { return ByteReader(storage_key).Hash(); }

std::string ToString(const ObjectKey& key) {
  std::string out;
  AppendEscaped(key.type, /*escape_slash=*/true, &out);
  out += '/';
  AppendEscaped(key.bucket, /*escape_slash=*/true, &out);
  out += '/';
  AppendEscaped(key.key, /*escape_slash=*/false, &out);
  return out;
}

}  // namespace dynamo
