#include "node/service/placed_key.h"

#include <utility>

namespace dynamo {

KeyPtr Place(ObjectKey key, const Topology& topology) {
  auto placed = std::make_shared<PlacedKey>();
  placed->storage_key = StorageKeyOf(key, topology.ring_seed);
  placed->key = std::move(key);
  placed->position = PositionOfStorageKey(placed->storage_key);
  placed->partition = PartitionOf(placed->position, topology.partitions);
  return placed;
}

Result<KeyPtr> PlaceStorageKey(Bytes storage_key, const Topology& topology) {
  Result<ObjectKey> key = ParseStorageKey(storage_key);
  if (!key) return Fail(std::move(key.error()));
  auto placed = std::make_shared<PlacedKey>();
  placed->key = std::move(*key);
  placed->position = PositionOfStorageKey(storage_key);
  placed->partition = PartitionOf(placed->position, topology.partitions);
  placed->storage_key = std::move(storage_key);
  return KeyPtr(std::move(placed));
}

bool IsWhereItBelongs(const PlacedKey& key, const Topology& topology) {
  return StorageKeyOf(key.key, topology.ring_seed) == key.storage_key;
}

ObjectKey FromProto(const peer::Key& key) { return {key.type(), key.bucket(), key.key()}; }

void ToProto(const ObjectKey& key, peer::Key* out) {
  out->set_type(key.type);
  out->set_bucket(key.bucket);
  out->set_key(key.key);
}

}  // namespace dynamo
