// A key with everything that is computed from it once.
#ifndef DYNAMO_NODE_SERVICE_PLACED_KEY_H_
#define DYNAMO_NODE_SERVICE_PLACED_KEY_H_

#include <memory>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "node/core/ring/topology.h"
#include "node/core/version/object_key.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

struct PlacedKey {
  ObjectKey key;
  Bytes storage_key;
  Hash128 position;
  PartitionId partition = 0;
};
// Immutable and shared by all that works on one request.
using KeyPtr = std::shared_ptr<const PlacedKey>;

KeyPtr Place(ObjectKey key, const Topology& topology);
// Without hashing again. kCorrupt if malformed.
Result<KeyPtr> PlaceStorageKey(Bytes storage_key, const Topology& topology);

// Whether the storage key has the position that its object has on this ring: a peer
// may have made it up.
bool IsWhereItBelongs(const PlacedKey& key, const Topology& topology);

ObjectKey FromProto(const peer::Key& key);
void ToProto(const ObjectKey& key, peer::Key* out);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_PLACED_KEY_H_
