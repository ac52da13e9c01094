// Messages between the shards of one node as posts between their threads.
#ifndef DYNAMO_NODE_ADAPTER_THREAD_SHARD_LINK_H_
#define DYNAMO_NODE_ADAPTER_THREAD_SHARD_LINK_H_

#include <utility>
#include <vector>

#include "common/base/check.h"
#include "node/adapter/shard_loop.h"
#include "node/env/shard_link.h"

namespace dynamo {

class ThreadShardLink : public ShardLink {
 public:
  // `loops`, in shard order, outlive this.
  ThreadShardLink(ShardIndex self, std::vector<ShardLoop*> loops) : self_(self), loops_(std::move(loops)) {}

  ShardIndex self() const override { return self_; }
  ShardIndex count() const override { return static_cast<ShardIndex>(loops_.size()); }
  void Post(ShardIndex shard, std::function<void()> work) override {
    DYNAMO_CHECK(shard < loops_.size());
    loops_[shard]->Post(std::move(work));
  }

 private:
  ShardIndex self_;
  std::vector<ShardLoop*> loops_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_THREAD_SHARD_LINK_H_
