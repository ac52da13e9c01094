#include "tests/sim/cluster/workload.h"

#include <fmt/format.h>

#include <algorithm>

namespace dynamo::sim {
namespace {

// Clients wait a little longer than they tell the node to.
constexpr Duration kPatience{200'000};

std::string Show(const oracle::Observation& seen) {
  std::string text;
  for (const oracle::WriteId id : seen.values) text += fmt::format(" {}", id);
  return text + (seen.tombstone ? " tombstone" : "");
}

std::optional<oracle::LwwOrder> OrderOf(const Object& object) {
  if (object.policy != ConflictPolicy::kLastWriterWins || object.siblings.empty()) return std::nullopt;
  const Dot& dot = object.siblings[0].dot;
  return oracle::LwwOrder{object.stamp, dot.actor.value, dot.counter};
}

}  // namespace

Workload::Workload(SimCluster* cluster, WorkloadPlan plan, std::function<void(const std::string&)> say)
    : cluster_(cluster), plan_(plan), say_(std::move(say)) {
  Rng rng = cluster_->world().MakeRng("keys");
  for (int i = 0; i < plan_.keys; ++i) {
    const bool lww = rng.Chance(plan_.lww_keys);
    keys_.push_back({lww ? "lww" : "siblings", "bucket", "key" + std::to_string(i)});
    history_.SetPolicy(ToString(keys_.back()), lww ? oracle::Policy::kLastWriterWins : oracle::Policy::kSiblings);
  }
}

void Workload::Start() {
  for (int id = 1; id <= plan_.clients; ++id) {
    ++running_;
    cluster_->clients().Spawn(Run(id));
  }
}

Duration Workload::DrawTimeout(Rng& rng) const {
  return Duration(rng.Between(plan_.timeout_min.count(), plan_.timeout_max.count()));
}

ReadOptions Workload::DrawReadOptions(Rng& rng, Duration timeout) const {
  ReadOptions options;
  options.r = QuorumValue::Number(plan_.r);
  if (plan_.pr) options.pr = QuorumValue::Number(*plan_.pr);
  if (rng.Chance(0.1)) options.basic_quorum = true;
  if (rng.Chance(0.1)) options.notfound_ok = false;
  options.sloppy_quorum = plan_.sloppy;
  options.timeout = timeout;
  return options;
}

WriteOptions Workload::DrawWriteOptions(Duration timeout) const {
  WriteOptions options;
  options.w = QuorumValue::Number(plan_.w);
  if (plan_.dw) options.dw = QuorumValue::Number(*plan_.dw);
  if (plan_.pw) options.pw = QuorumValue::Number(*plan_.pw);
  options.sloppy_quorum = plan_.sloppy;
  options.timeout = timeout;
  return options;
}

Async<> Workload::Run(int id) {
  Client client;
  client.id = id;
  Rng rngs = cluster_->world().MakeRng("client " + std::to_string(id));
  for (uint64_t n = 1; !stopping_; ++n) {
    // Each operation has its own, so that none disturbs the next.
    client.rng = rngs.Fork();
    // From the beginning of this one to the next, at least: the slower a cluster
    // answers, the less its clients think.
    const TimePoint next = cluster_->client_clock().Now() + Duration(rngs.Between(0, plan_.think_max.count()));
    const uint64_t ordinal = OrdinalOf(id, n);
    if (!plan_.only_operations || plan_.only_operations->contains(ordinal)) {
      begun_.push_back({ordinal, {}});
      co_await Operate(&client);
    }
    co_await SleepUntil(cluster_->clients(), cluster_->client_clock(), next);
  }
  --running_;
}

Async<> Workload::Operate(Client* client) {
  Rng& rng = client->rng;
  const ObjectKey key = keys_[rng.Below(keys_.size())];
  begun_.back().key = ToString(key);
  if (IsLoopKey(key)) {
    if (co_await Read(client, key)) co_await Put(client, key, client->memories[key]);
    co_return;
  }
  if (co_await Misbehave(client, key)) co_return;
  int draw = static_cast<int>(rng.Below(100));
  if ((draw -= plan_.blind_puts) < 0) co_return co_await Put(client, key, {});
  if ((draw -= plan_.blind_deletes) < 0) co_return co_await Delete(client, key, std::nullopt);
  if ((draw -= plan_.stale_puts) < 0) {
    ++cluster_->faults()[FaultKind::kStaleContext];
    co_return co_await Put(client, key, client->memories[key]);
  }
  if (!co_await Read(client, key)) co_return;
  if ((draw -= plan_.reads) < 0) co_return;
  const Memory memory = client->memories[key];
  if ((draw -= plan_.deletes) < 0) {
    if (memory.token.empty()) co_return;
    co_return co_await Delete(client, key, memory);
  }
  co_await Put(client, key, memory);
}

bool Workload::IsLoopKey(const ObjectKey& key) const {
  const auto place = std::ranges::find(keys_, key) - keys_.begin();
  return place < plan_.loop_keys;
}

oracle::Observation Workload::Observe(const ObjectKey& key, const Object& object) {
  oracle::Observation seen;
  seen.order = OrderOf(object);
  for (const Sibling& sibling : object.siblings) {
    if (sibling.tombstone) {
      seen.tombstone = true;
    } else {
      seen.AddValue(sibling.content.value);
    }
    const std::string write = sibling.tombstone ? "tombstone" : sibling.content.value.substr(0, 12);
    const auto [known, fresh] = dots_.try_emplace({ToString(key), sibling.dot}, write);
    if (!fresh && known->second != write) {
      dot_conflicts_.push_back(fmt::format("{}: one dot names {} and {}", ToString(key), known->second, write));
    }
  }
  return seen;
}

Async<bool> Workload::Read(Client* client, const ObjectKey& key) {
  const size_t node = client->rng.Below(cluster_->size());
  const Duration timeout = DrawTimeout(client->rng);
  const uint64_t begun = history_.Now();
  GetRequest request{key, DrawReadOptions(client->rng, timeout)};
  const auto reply = co_await cluster_->Get(node, std::move(request), timeout + kPatience);
  if (!reply) {
    ++counts_.reads_failed;
    if (say_) say_(fmt::format("client {} get {} at {}: {}", client->id, ToString(key), node, reply.error().message));
    co_return false;
  }
  ++counts_.reads;
  const oracle::Observation seen = Observe(key, reply->object);
  if (say_) say_(fmt::format("client {} get {} at {}:{}", client->id, ToString(key), node, Show(seen)));
  client->memories[key] = {reply->context, oracle::ContextOf(seen)};
  history_.AddRead(client->id, ToString(key), begun, seen);
  co_return true;
}

void Workload::EndWrite(oracle::WriteId id, const Status& status, std::optional<oracle::LwwOrder> order) {
  const oracle::Outcome outcome = status ? oracle::Outcome::kOk : oracle::OutcomeOf(status.error().code);
  history_.EndWrite(id, outcome, order);
  if (on_end_) on_end_(history_.writes().at(id));
  if (outcome == oracle::Outcome::kOk) ++counts_.writes_ok;
  if (outcome == oracle::Outcome::kFailed) ++counts_.writes_failed;
  if (outcome == oracle::Outcome::kUnknown) ++counts_.writes_unknown;
  if (say_) say_(fmt::format("  write {} {}", id, status ? "ok" : status.error().message));
}

Async<> Workload::Put(Client* client, ObjectKey key, Memory memory) {
  Rng& rng = client->rng;
  const oracle::WriteId id = history_.BeginPut(client->id, ToString(key), memory.context);
  PutRequest request;
  request.key = key;
  request.content.value = oracle::MakeValue(id, rng.Below(plan_.value_bytes_max));
  request.context = memory.token;
  request.return_object = rng.Chance(0.3);
  if (say_) say_(fmt::format("  write {} after{}", id, Show({memory.context.ids, {}, memory.context.tombstone, {}})));
  static_cast<void>(co_await PutOnce(client->id, rng.Fork(), std::move(request), id));
}

Async<Status> Workload::PutOnce(int client, Rng rng, PutRequest request, oracle::WriteId id) {
  const ObjectKey key = request.key;
  const size_t node = rng.Below(cluster_->size());
  const Duration timeout = DrawTimeout(rng);
  request.options = DrawWriteOptions(timeout);
  if (say_) say_(fmt::format("client {} put {} at {}: write {}", client, ToString(key), node, id));
  const auto reply = co_await cluster_->Put(node, std::move(request), timeout + kPatience);
  std::optional<oracle::LwwOrder> order;
  if (reply && reply->object) {
    const oracle::Observation seen = Observe(key, *reply->object);
    if (seen.values.size() == 1 && seen.values[0] == id) order = seen.order;
  }
  Status status = reply ? Status() : Status(Fail(reply.error()));
  EndWrite(id, status, order);
  co_return status;
}

Async<> Workload::Delete(Client* client, ObjectKey key, std::optional<Memory> memory) {
  Rng& rng = client->rng;
  const size_t node = rng.Below(cluster_->size());
  const Duration timeout = DrawTimeout(rng);
  std::optional<oracle::Context> context;
  if (memory) context = memory->context;
  const oracle::WriteId id = history_.BeginDelete(client->id, ToString(key), context);
  DeleteRequest request;
  request.key = key;
  if (memory) request.context = memory->token;
  request.read_options = DrawReadOptions(rng, timeout);
  request.options = DrawWriteOptions(timeout);
  if (say_) say_(fmt::format("client {} delete {} at {}: write {}", client->id, ToString(key), node, id));
  const Status status = co_await cluster_->Delete(node, std::move(request), timeout + kPatience);
  EndWrite(id, status, std::nullopt);
}

Async<Result<GetReply>> Workload::ReadOwners(size_t node, ObjectKey key) {
  constexpr int kTries = 5;
  uint32_t lost = 0;
  for (size_t i = 0; i < cluster_->size(); ++i) lost += cluster_->node(i).disk().lost() ? 1 : 0;
  const uint32_t n = cluster_->config().n_val;
  GetRequest request;
  request.key = std::move(key);
  // A lost disk's share may be in hints of others, which a sloppy read asks.
  request.options.r = lost == 0 ? QuorumValue::All() : QuorumValue::Number(n > lost ? n - lost : 1);
  request.options.timeout = std::chrono::seconds(10);
  Result<GetReply> reply = Fail(Errc::kTimeout, "not tried");
  for (int i = 0; i < kTries && !reply; ++i) {
    reply = co_await cluster_->Get(node, request, std::chrono::seconds(11));
  }
  co_return reply;
}

Async<> Workload::RepairAll() {
  bool any_lost = false;
  for (size_t i = 0; i < cluster_->size(); ++i) any_lost = any_lost || cluster_->node(i).disk().lost();
  if (!any_lost) co_return;
  // What only one of those who stand in knows is with the owners after the first round,
  // and with all others who stand in after the second.
  Clock& clock = cluster_->client_clock();
  for (int round = 0; round < 2; ++round) {
    for (const ObjectKey& key : keys_) {
      for (size_t node = 0; node < cluster_->size(); ++node) {
        if (!cluster_->IsOut(node)) static_cast<void>(co_await ReadOwners(node, key));
      }
    }
    // A repair follows the last of a read's answers.
    co_await SleepUntil(cluster_->clients(), clock, clock.Now() + std::chrono::seconds(5));
  }
}

Async<std::vector<std::string>> Workload::ReadAll() {
  std::vector<std::string> failures;
  co_await RepairAll();
  for (const ObjectKey& key : keys_) {
    for (size_t node = 0; node < cluster_->size(); ++node) {
      if (cluster_->IsOut(node)) continue;
      const Result<GetReply> reply = co_await ReadOwners(node, key);
      const std::string reader = "node " + std::to_string(node);
      if (reply) {
        const oracle::Observation seen = Observe(key, reply->object);
        if (say_) say_(fmt::format("final get {} at {}:{}", ToString(key), node, Show(seen)));
        history_.AddFinalRead(ToString(key), reader, seen);
      } else {
        failures.push_back(fmt::format("{} cannot be read at {}: {}", ToString(key), reader, reply.error().message));
      }
    }
  }
  co_return failures;
}

}  // namespace dynamo::sim
