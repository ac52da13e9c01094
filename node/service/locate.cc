#include "node/service/locate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "node/service/data_path.h"

namespace dynamo {
namespace {

// All members are asked at once; one event waits for the last.
struct Survey {
  explicit Survey(Scope& scope) : done(scope) {}
  Event done;
  size_t outstanding = 1;
  std::vector<KeyLocation::Holder> holders;

  void OnOne() {
    if (--outstanding == 0) done.Set();
  }
};

void Fill(const Bytes& object, bool owner, KeyLocation::Holder* holder) {
  holder->reachable = true;
  const Result<Object> decoded = object.empty() ? Object{} : DecodeObject(object);
  if (!decoded || decoded->never_written()) return;
  holder->has_object = true;
  holder->digest = DigestOf(object);
  holder->siblings = static_cast<uint32_t>(decoded->siblings.size());
  holder->hint = !owner;
}

void AskMember(Shard* shard, const KeyPtr& key, std::shared_ptr<Survey> survey, size_t index) {
  ++survey->outstanding;
  shard->peers().Call(survey->holders[index].node, ReplicaGetBody(shard->context(), *key, /*digest_only=*/false),
                      shard->context().ReplicaDeadline(), [survey, index](Result<peer::Response> response) {
                        if (response && response->has_replica_state()) {
                          const peer::ReplicaState& state = response->replica_state();
                          Fill(state.object(), state.authoritative(), &survey->holders[index]);
                        }
                        survey->OnOne();
                      });
}

}  // namespace

Async<Result<KeyLocation>> LocateKey(Shard* shard, KeyPtr key) {
  ShardContext& context = shard->context();
  const BucketType* type = context.TypeOf(key->key);
  if (type == nullptr) co_return Fail(Errc::kNotFound, "No bucket-type named '" + key->key.type + "'");
  KeyLocation location;
  location.position = key->position;
  location.partition = key->partition;
  location.n_val = type->n_val;
  location.walk = ExplainWalk(context.topology(), key->partition, type->n_val);
  auto survey = std::make_shared<Survey>(*context.env.scope);
  const PreferenceList list = context.ListOf(*key);
  const std::vector<NodeId> pending = context.PendingOwnersOf(*key);
  for (const std::vector<NodeId>* nodes : {&list.owners, &list.fallbacks, &pending}) {
    for (const NodeId node : *nodes) {
      const bool asked = std::ranges::find(survey->holders, node, &KeyLocation::Holder::node) != survey->holders.end();
      if (!asked) survey->holders.emplace_back().node = node;
    }
  }
  for (size_t i = 0; i < survey->holders.size(); ++i) {
    if (survey->holders[i].node != context.self) AskMember(shard, key, survey, i);
  }
  const Result<Bytes> own = co_await shard->ReadLocal(key);
  for (KeyLocation::Holder& holder : survey->holders) {
    if (own && holder.node == context.self) Fill(*own, list.Owns(context.self), &holder);
  }
  survey->OnOne();
  co_await survey->done.Wait();
  location.holders = survey->holders;
  co_return location;
}

}  // namespace dynamo
