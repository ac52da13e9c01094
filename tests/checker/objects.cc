#include "tests/checker/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "node/core/replication/local_state.h"
#include "node/core/replication/read_reconciler.h"

namespace dynamo::checker {
namespace {

constexpr std::string_view kStorageKey = "key";

std::string ContentOf(WriteNo write) { return "w" + std::to_string(write); }

uint32_t Pair(ObjectNo a, ObjectNo b) { return (uint32_t{a} << 16) | b; }

}  // namespace

Objects::Objects(int n) : n_(static_cast<uint32_t>(n)), signer_({{1, "secret", true}}) { Number({}); }

ObjectNo Objects::Number(Bytes encoded) {
  const auto [at, added] = numbers_.try_emplace(std::move(encoded), static_cast<ObjectNo>(known_.size()));
  if (!added) return at->second;
  DYNAMO_CHECK(known_.size() <= std::numeric_limits<ObjectNo>::max());
  Known known;
  known.encoded = at->first;
  known.digest = DigestOf(known.encoded);
  if (!known.encoded.empty()) {
    Result<Object> object = DecodeObject(known.encoded);
    DYNAMO_CHECK(object && EncodeObject(*object) == known.encoded);
    known.object = std::move(*object);
    const Result<CausalContext> context =
        signer_.Verify(signer_.Sign(ContextOf(known.object), kStorageKey).value(), kStorageKey);
    DYNAMO_CHECK(context.has_value());
    known.context = *context;
  }
  for (const Sibling& sibling : known.object.siblings) {
    const auto write = static_cast<WriteNo>(sibling.last_modified_us);
    DYNAMO_CHECK(write >= 1 && write <= kWritesMax);
    known.live |= Bit(write);
    known.sound = known.sound && sibling.content.value == (sibling.tombstone ? "" : ContentOf(write));
  }
  known_.push_back(std::move(known));
  return at->second;
}

ObjectNo Objects::Join(ObjectNo a, ObjectNo b) {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  if (const auto at = joins_.find(Pair(a, b)); at != joins_.end()) return at->second;
  Result<Bytes> joined = JoinStates(known_[a].encoded, known_[b].encoded);
  DYNAMO_CHECK(joined.has_value());
  return joins_[Pair(a, b)] = Number(std::move(*joined));
}

ObjectNo Objects::Receive(ObjectNo known, ObjectNo incoming) {
  if (const auto at = received_.find(Pair(known, incoming)); at != received_.end()) return at->second;
  const ObjectNo joined = Join(known, incoming);
  switch (StandingOf(HeaderOf(known_[known].object), HeaderOf(known_[incoming].object))) {
    case Standing::kNewer: DYNAMO_CHECK(joined == incoming); break;
    case Standing::kCovered: DYNAMO_CHECK(joined == known); break;
    case Standing::kUnknown: break;
  }
  return received_[Pair(known, incoming)] = joined;
}

ObjectNo Objects::Mint(ObjectNo before, ObjectNo context, uint8_t actor, WriteNo write, bool tombstone) {
  const std::array<uint16_t, 5> question{before, context, actor, write, tombstone};
  if (const auto at = minted_.find(question); at != minted_.end()) return at->second;
  Content content;
  if (!tombstone) content.value = ContentOf(write);
  const dynamo::Write asked{{actor}, tombstone, std::move(content), write, 0};
  const CausalContext& seen = known_[context].context;
  const Bytes minted = EncodeObject(dynamo::Mint(known_[before].object, seen, asked));
  const ObjectHeader header = HeaderOf(known_[before].object);
  if (SupersedesAll(header, ConflictPolicy::kSiblings, seen)) {
    Object alone;
    alone.clock = header.clock;
    DYNAMO_CHECK(EncodeObject(dynamo::Mint(alone, seen, asked)) == minted);
  }
  return minted_[question] = Number(minted);
}

Hint Objects::HintOf(NodeNo owner, ObjectNo object) const {
  return {Bytes(kStorageKey), NodeId{owner}, known_[object].digest, known_[object].encoded};
}

const Objects::Admission& Objects::Admit(ObjectNo object, const std::vector<ObjectNo>& existing) {
  const auto [at, added] = admissions_.try_emplace({object, existing});
  if (!added) return at->second;
  std::vector<Hint> hints;
  hints.reserve(existing.size());
  for (const ObjectNo hint : existing) hints.push_back(HintOf(1, hint));
  const HintAdmission admission = AdmitHint(NodeId{1}, known_[object].encoded, hints);
  at->second.needed = admission.needed;
  for (const Hint* hint : admission.superseded) at->second.superseded |= Bit(static_cast<int>(hint - hints.data()) + 1);
  return at->second;
}

bool Objects::IsDelivered(NodeNo owner, ObjectNo sent, NodeNo hint_owner, ObjectNo hint) const {
  return !HintsDelivered(NodeId{owner}, known_[sent].digest, {HintOf(hint_owner, hint)}).empty();
}

// As a coordinator does it: one whole object, digests of the others, and the whole
// objects of those that differ.
ReadOutcome Objects::Reconcile(const std::vector<ReadPart>& parts, uint32_t pr) const {
  ReadReconciler reconciler({.n = n_, .r = 2, .pr = pr, .node_confirms = 0}, /*notfound_ok=*/true, false);
  for (const ReadPart& part : parts) reconciler.OnAsked(NodeId{part.node}, part.primary);
  reconciler.NoMoreNodes();
  const auto answer = [&](const ReadPart& part, bool whole) {
    ReplicaAnswer given{NodeId{part.node}, part.primary, part.authoritative, known_[part.object].digest, {}};
    if (whole) given.object = known_[part.object].encoded;
    DYNAMO_CHECK(reconciler.OnAnswer(std::move(given)).has_value());
  };
  bool whole = true;
  for (const ReadPart& part : parts) {
    if (part.answers) {
      answer(part, std::exchange(whole, false));
    } else {
      reconciler.OnFailed(NodeId{part.node});
    }
  }
  for (const NodeId node : reconciler.TakeNodesToFetch()) {
    answer(*std::ranges::find(parts, node.value, &ReadPart::node), true);
  }
  if (reconciler.verdict() == Verdict::kPending) reconciler.GiveUp();
  ReadOutcome outcome;
  outcome.met = reconciler.verdict() == Verdict::kMet;
  for (size_t number = 1; number < known_.size(); ++number) {
    if (known_[number].encoded == reconciler.joined()) outcome.joined = static_cast<ObjectNo>(number);
  }
  for (const NodeId node : reconciler.Behind()) outcome.behind.push_back(static_cast<NodeNo>(node.value));
  return outcome;
}

const ReadOutcome& Objects::Read(const std::vector<ReadPart>& parts) {
  Hash128 question;
  for (const ReadPart& part : parts) {
    const uint64_t packed = (uint64_t{part.object} << 6) | (uint64_t{part.node} << 3) | (part.primary ? 4u : 0u) |
                            (part.authoritative ? 2u : 0u) | (part.answers ? 1u : 0u);
    question.high = (question.high << 24) | (question.low >> 40);
    question.low = (question.low << 24) | packed;
  }
  const auto [at, added] = reads_.try_emplace(question);
  if (!added) return at->second;
  ObjectNo joined = 0;
  for (const ReadPart& part : parts) {
    if (part.answers) joined = Join(joined, part.object);
  }
  at->second = Reconcile(parts, 0);
  at->second.met_by_owners = Reconcile(parts, 2).met;
  DYNAMO_CHECK(at->second.joined == joined);
  return at->second;
}

uint8_t Objects::Counter(ObjectNo object, uint8_t actor) const {
  return static_cast<uint8_t>(known_[object].object.clock.Get({actor}));
}

std::string Objects::Text(ObjectNo object) const {
  std::vector<std::string> siblings, clock;
  for (const Sibling& sibling : known_[object].object.siblings) {
    siblings.push_back(fmt::format("{}{}", sibling.tombstone ? "deletion " : "",
                                   ContentOf(static_cast<WriteNo>(sibling.last_modified_us))));
  }
  for (const Dot& dot : known_[object].object.clock.entries()) {
    clock.push_back(fmt::format("a{}:{}", dot.actor.value, dot.counter));
  }
  return fmt::format("{{{}}} [{}]", fmt::join(siblings, ", "), fmt::join(clock, " "));
}

}  // namespace dynamo::checker
