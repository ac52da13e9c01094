// What no client should do: it may be refused, and must do no harm.
#include <fmt/format.h>

#include "tests/sim/cluster/workload.h"

namespace dynamo::sim {
namespace {

constexpr size_t kHugeBytes = 1u << 20;

// Whether the error says that the request itself is at fault, or that the node
// could not even look at it.
bool IsRefusal(Errc code) { return code == Errc::kBadContext || code == Errc::kTooLarge; }

}  // namespace

Async<bool> Workload::Misbehave(Client* client, ObjectKey key) {
  Rng& rng = client->rng;
  FaultCounts& faults = cluster_->faults();
  int draw = static_cast<int>(rng.Below(1000));
  if ((draw -= plan_.retry_storms) < 0) {
    ++faults[FaultKind::kRetryStorm];
    co_await PutAtOnce(client, key, client->memories[key], static_cast<int>(rng.Between(2, 5)));
    co_return true;
  }
  if ((draw -= plan_.sibling_floods) < 0) {
    ++faults[FaultKind::kSiblingFlood];
    co_await PutAtOnce(client, key, Memory{}, static_cast<int>(rng.Between(5, 12)));
    co_return true;
  }
  PutRequest request;
  if ((draw -= plan_.forged_contexts) < 0) {
    ++faults[FaultKind::kForgedContext];
    request.context = ForgeContext(client, key);
    co_await PutRefused(client, key, std::move(request), "a forged context");
    co_return true;
  }
  if ((draw -= plan_.huge_contexts) < 0) {
    ++faults[FaultKind::kHugeContext];
    request.context = client->memories[key].token;
    request.context.resize(kHugeBytes, static_cast<char>(rng.Next()));
    co_await PutRefused(client, key, std::move(request), "a huge context");
    co_return true;
  }
  if ((draw -= plan_.oversized_values) < 0) {
    ++faults[FaultKind::kOversizedValue];
    const size_t limit = cluster_->config().service.object_bytes_max;
    request.content.value.resize(limit + 1);
    co_await PutRefused(client, key, std::move(request), "an oversized value");
    co_return true;
  }
  co_return false;
}

Bytes Workload::ForgeContext(Client* client, const ObjectKey& key) {
  Rng& rng = client->rng;
  Bytes token = client->memories[key].token;
  for (const auto& [other, memory] : client->memories) {
    // What another key's reads gave, for this one.
    if (other != key && !memory.token.empty() && rng.Chance(0.3)) return memory.token;
  }
  if (token.empty() || rng.Chance(0.2)) {
    token.resize(1 + rng.Below(200));
    for (char& byte : token) byte = static_cast<char>(rng.Next());
    return token;
  }
  if (rng.Chance(0.3)) return token.substr(0, 1 + rng.Below(token.size() - 1));
  const uint64_t bit = rng.Below(token.size() * 8);
  token[bit / 8] = static_cast<char>(token[bit / 8] ^ (1 << (bit % 8)));
  return token;
}

Async<> Workload::PutRefused(Client* client, ObjectKey key, PutRequest request, const char* what) {
  const oracle::WriteId id = history_.BeginPut(client->id, ToString(key), {});
  const size_t padding = request.content.value.size();
  request.key = key;
  request.content.value = oracle::MakeValue(id, padding);
  // Whatever is answered, even nothing in time: it is never in effect.
  history_.EndWrite(id, oracle::Outcome::kFailed);
  const size_t node = client->rng.Below(cluster_->size());
  const Duration timeout = DrawTimeout(client->rng);
  request.options = DrawWriteOptions(timeout);
  if (say_) say_(fmt::format("client {} puts {} to {} at {}: write {}", client->id, what, ToString(key), node, id));
  const auto reply = co_await cluster_->Put(node, std::move(request), timeout + std::chrono::seconds(1));
  if (reply) wrong_answers_.push_back(fmt::format("{} was taken: write {} to {}", what, id, ToString(key)));
  ++(reply || !IsRefusal(reply.error().code) ? counts_.writes_unknown : counts_.writes_failed);
}

Async<> Workload::PutAtOnce(Client* client, ObjectKey key, Memory memory, int writes) {
  struct Rest {
    explicit Rest(Scope& scope) : done(scope) {}
    int left = 0;
    Event done;
  };
  auto rest = std::make_shared<Rest>(cluster_->clients());
  rest->left = writes;
  for (int i = 0; i < writes; ++i) {
    const oracle::WriteId id = history_.BeginPut(client->id, ToString(key), memory.context);
    PutRequest request;
    request.key = key;
    request.content.value = oracle::MakeValue(id, client->rng.Below(plan_.value_bytes_max));
    request.context = memory.token;
    auto put = [](Workload* self, int by, Rng rng, PutRequest one, oracle::WriteId write,
                  std::shared_ptr<Rest> others) -> Async<> {
      static_cast<void>(co_await self->PutOnce(by, rng, std::move(one), write));
      if (--others->left == 0) others->done.Set();
    };
    cluster_->clients().Spawn(put(this, client->id, client->rng.Fork(), std::move(request), id, rest));
  }
  co_await rest->done.Wait();
}

}  // namespace dynamo::sim
