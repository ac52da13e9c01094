#include "node/protocol/tree_messages.h"

#include <utility>

#include "node/core/version/object_key.h"

namespace dynamo {
namespace {

constexpr size_t kHashBytes = 16;

bool IsIn(const KeyRange& range, const Bytes& key) {
  return range.begin <= key && (range.end.empty() || key < range.end);
}

auto Malformed(std::string_view what) { return Fail(Errc::kCorrupt, "a peer's " + std::string(what)); }

}  // namespace

Result<std::vector<uint32_t>> NodesAskedFor(const peer::TreeGet& get) {
  if (static_cast<size_t>(get.nodes_size()) > kTreeLeaves) {
    return Fail(Errc::kInvalidArgument, "tree: more nodes are asked for than a tree has");
  }
  std::vector<uint32_t> nodes(get.nodes().begin(), get.nodes().end());
  if (!IsNodeList(get.level(), nodes)) {
    return Fail(Errc::kInvalidArgument, "tree: no such nodes, or not in ascending order");
  }
  return nodes;
}

void ToProto(const std::vector<Hash128>& hashes, peer::TreeNodes* out) {
  ByteWriter writer(out->mutable_hashes());
  for (const Hash128& hash : hashes) writer.Hash(hash);
}

Result<std::vector<Hash128>> HashesOf(const peer::TreeNodes& nodes, size_t count) {
  if (nodes.hashes().size() != count * kHashBytes) return Malformed("tree has another number of nodes than asked for");
  ByteReader in(nodes.hashes());
  std::vector<Hash128> hashes(count);
  for (Hash128& hash : hashes) hash = in.Hash();
  return hashes;
}

Result<KeyRange> RangeAskedFor(const peer::LeafGet& get, uint32_t partitions) {
  if (get.tree().partition() >= partitions || get.leaf() >= kTreeLeaves) {
    return Fail(Errc::kInvalidArgument, "tree: no such partition or leaf");
  }
  KeyRange range = LeafKeyRange(get.tree().partition(), partitions, get.leaf(), get.leaf());
  if (get.after().empty()) return range;
  if (!IsIn(range, get.after())) return Fail(Errc::kInvalidArgument, "tree: to go on after a key of another leaf");
  range.begin = get.after() + '\0';
  return range;
}

void ToProto(const LeafPage& page, peer::LeafKeys* out) {
  for (const LeafEntry& entry : page.entries) {
    peer::LeafKey* key = out->add_keys();
    key->set_storage_key(entry.storage_key);
    if (!entry.corrupt) key->set_digest(ToBytes(entry.digest));
  }
  out->set_more(page.more);
}

Result<LeafPage> PageOf(const peer::LeafKeys& keys, const KeyRange& range) {
  if (static_cast<size_t>(keys.keys_size()) > kLeafKeysMax) return Malformed("leaf has too many keys in one answer");
  if (keys.more() && keys.keys_size() == 0) return Malformed("leaf has more keys, and none");
  LeafPage page;
  page.more = keys.more();
  for (const peer::LeafKey& key : keys.keys()) {
    const bool ordered = page.entries.empty() || page.entries.back().storage_key < key.storage_key();
    if (!ordered || !IsIn(range, key.storage_key())) return Malformed("leaf has keys out of order or out of place");
    if (!ParseStorageKey(key.storage_key())) return Malformed("leaf has a malformed key");
    if (!key.digest().empty() && key.digest().size() != kHashBytes) return Malformed("leaf has a malformed digest");
    const bool corrupt = key.digest().empty();
    page.entries.push_back({key.storage_key(), corrupt ? Hash128{} : ByteReader(key.digest()).Hash(), corrupt});
  }
  return page;
}

}  // namespace dynamo
