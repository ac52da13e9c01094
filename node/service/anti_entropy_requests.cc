// What peers ask of this shard's Merkle trees.
#include <fmt/format.h>

#include <utility>

#include "node/protocol/messages.h"
#include "node/protocol/tree_messages.h"
#include "node/service/anti_entropy.h"

namespace dynamo {
Status AntiEntropy::MayAsk(NodeId from, const peer::TreeId& tree) const {
  const TreeName name = NameOf(tree);
  if (Status known = CheckTree(*parts_.shard, tree); !known) return known;
  // Who is to own it compares what it has received.
  if (!trees_.MayHold(name) || !MayHold(*parts_.shard, from, name)) {
    const TopologyVersion version = parts_.shard->topology().version;
    return Fail(Errc::kNotOwner, fmt::format("not both nodes own partition {} with N={} in epoch {}.{}", name.partition,
                                             name.n_val, version.generation, version.epoch));
  }
  return {};
}

void AntiEntropy::Serve(NodeId from, peer::Request request, Responder respond) {
  const auto refuse = [this, &respond](const Error& error) {
    parts_.shard->metrics->tree_requests_refused.Add();
    respond(EncodeFailure(error));
  };
  const bool nodes = request.has_tree_get();
  const peer::TreeId& tree = nodes ? request.tree_get().tree() : request.leaf_get().tree();
  if (const Status may = MayAsk(from, tree); !may) return refuse(may.error());
  Scope& scope = *parts_.shard->env.scope;
  if (nodes) {
    auto asked = NodesAskedFor(request.tree_get());
    if (!asked) return refuse(asked.error());
    scope.Spawn(AnswerNodes(this, NameOf(tree), request.tree_get().level(), std::move(*asked), std::move(respond)));
  } else {
    auto range = RangeAskedFor(request.leaf_get(), parts_.shard->topology().partitions);
    if (!range) return refuse(range.error());
    scope.Spawn(AnswerLeaf(this, NameOf(tree), std::move(*range), std::move(respond)));
  }
}

Async<> AntiEntropy::AnswerNodes(AntiEntropy* self, TreeName tree, uint32_t level, std::vector<uint32_t> nodes,
                                 Responder respond) {
  const auto hashes = co_await self->trees_.Nodes(tree, level, std::move(nodes));
  if (!hashes) co_return respond(EncodeFailure(hashes.error()));
  peer::Response response;
  ToProto(*hashes, response.mutable_tree_nodes());
  respond(EncodeResponse(response));
}

Async<> AntiEntropy::AnswerLeaf(AntiEntropy* self, TreeName tree, KeyRange range, Responder respond) {
  const auto page = co_await self->trees_.List(tree, std::move(range));
  if (!page) co_return respond(EncodeFailure(page.error()));
  peer::Response response;
  ToProto(*page, response.mutable_leaf_keys());
  respond(EncodeResponse(response));
}

Async<Result<std::vector<TreeRoot>>> AntiEntropy::Roots(PartitionId partition) {
  std::vector<TreeRoot> roots;
  for (const TreeName tree : trees_.Owned()) {
    if (tree.partition != partition) continue;
    const auto root = co_await trees_.Nodes(tree, 0, {0});
    if (!root) co_return Fail(root.error());
    roots.push_back({tree.n_val, root->front(), trees_.Marked(tree)});
  }
  co_return roots;
}

}  // namespace dynamo
