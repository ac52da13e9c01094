// Messages between the shards of one node: they share nothing else but the store.
#ifndef DYNAMO_NODE_ENV_SHARD_LINK_H_
#define DYNAMO_NODE_ENV_SHARD_LINK_H_

#include <cstdint>
#include <functional>

namespace dynamo {

using ShardIndex = uint32_t;

class ShardLink {
 public:
  virtual ~ShardLink() = default;

  virtual ShardIndex self() const = 0;
  virtual ShardIndex count() const = 0;
  // Runs `work` on the other shard's thread, in the order posted. What it captures
  // changes hands: no reference into this shard.
  virtual void Post(ShardIndex shard, std::function<void()> work) = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_SHARD_LINK_H_
