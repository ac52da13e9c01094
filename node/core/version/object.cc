#include "node/core/version/object.h"

#include <algorithm>
#include <tuple>

#include "common/base/check.h"

namespace dynamo {
namespace {

// Objects of different rank never meet by design; the higher one wins whole, so
// that the join is total. An object that was never written loses to any that was.
int Rank(const Object& object) {
  const bool siblings = object.policy == ConflictPolicy::kSiblings;
  return object.never_written() ? (siblings ? 1 : 0) : (siblings ? 3 : 2);
}

// Of one rank, last-writer-wins objects are in one line.
bool LwwAtLeast(const Object& a, const Object& b) {
  return std::tie(a.stamp, a.siblings) >= std::tie(b.stamp, b.siblings);
}

// Each dot goes from unseen to a value to superseded, never back: the join takes
// the later of the two sides. That one dot has two values is impossible unless an
// actor broke its promise; the greater one then stays, so that replicas converge.
Object JoinSiblings(Object a, const Object& b) {
  std::vector<Sibling> kept;
  kept.reserve(a.siblings.size() + b.siblings.size());
  auto of_a = a.siblings.begin();
  auto of_b = b.siblings.begin();
  while (of_a != a.siblings.end() || of_b != b.siblings.end()) {
    const bool only_a = of_b == b.siblings.end() || (of_a != a.siblings.end() && of_a->dot < of_b->dot);
    const bool only_b = !only_a && (of_a == a.siblings.end() || of_b->dot < of_a->dot);
    if (only_a) {
      if (!b.clock.Covers(of_a->dot)) kept.push_back(std::move(*of_a));
      ++of_a;
    } else if (only_b) {
      if (!a.clock.Covers(of_b->dot)) kept.push_back(*of_b);
      ++of_b;
    } else {
      if (*of_a < *of_b) {
        kept.push_back(*of_b);
      } else {
        kept.push_back(std::move(*of_a));
      }
      ++of_a, ++of_b;
    }
  }
  a.siblings = std::move(kept);
  a.clock.Join(b.clock);
  return a;
}

// No sibling of `a` is superseded, or has a greater value, in `b`.
bool KeepsAllSiblings(const Object& a, const Object& b) {
  return std::ranges::all_of(a.siblings, [&b](const Sibling& mine) {
    if (!b.clock.Covers(mine.dot)) return true;
    const auto other = std::ranges::lower_bound(b.siblings, mine.dot, {}, &Sibling::dot);
    return other != b.siblings.end() && other->dot == mine.dot && *other <= mine;
  });
}

Sibling MintSibling(const Dot& dot, Write write) {
  if (write.tombstone) write.content = {};
  return {dot, write.tombstone, write.now_us, std::move(write.content)};
}

}  // namespace

bool Object::deleted() const { return !never_written() && std::ranges::all_of(siblings, &Sibling::tombstone); }

CausalContext ContextOf(const Object& object) { return {object.clock, object.stamp}; }

Object Join(Object a, const Object& b) {
  if (Rank(a) != Rank(b)) {
    if (Rank(a) > Rank(b)) return a;
    return b;
  }
  if (a.policy == ConflictPolicy::kSiblings) return JoinSiblings(std::move(a), b);
  if (LwwAtLeast(a, b)) return a;
  return b;
}

bool Dominates(const Object& a, const Object& b) {
  if (Rank(a) != Rank(b)) return Rank(a) > Rank(b);
  if (a.policy == ConflictPolicy::kLastWriterWins) return LwwAtLeast(a, b);
  return a.clock.Dominates(b.clock) && KeepsAllSiblings(a, b);
}

Object Mint(const Object& state, const CausalContext& context, Write write) {
  Object next;
  next.policy = state.policy;
  if (state.policy == ConflictPolicy::kLastWriterWins) {
    DYNAMO_CHECK(write.stamp > std::max(state.stamp, context.stamp) && write.stamp <= kCounterMax);
    next.stamp = write.stamp;
    // A node's stamps only rise, so the stamp makes the dot as unique as a count would.
    const Dot dot{write.actor, write.stamp};
    next.siblings.push_back(MintSibling(dot, std::move(write)));
    return next;
  }
  next.clock = state.clock;
  next.clock.Join(context.clock);
  const Dot dot{write.actor, next.clock.Get(write.actor) + 1};
  next.clock.Add(dot);
  for (const Sibling& sibling : state.siblings) {
    if (!context.clock.Covers(sibling.dot)) next.siblings.push_back(sibling);
  }
  const auto at = std::ranges::lower_bound(next.siblings, dot, {}, &Sibling::dot);
  next.siblings.insert(at, MintSibling(dot, std::move(write)));
  return next;
}

ObjectHeader HeaderOf(const Object& object) {
  ObjectHeader header{object.policy, object.clock, object.stamp, {}};
  const bool lww = object.policy == ConflictPolicy::kLastWriterWins;
  if (lww && !object.siblings.empty()) header.lww_dot = object.siblings[0].dot;
  return header;
}

bool Dominates(const ObjectHeader& a, const ObjectHeader& b) {
  if (b.never_written()) return true;
  if (a.never_written()) return false;
  if (a.policy != b.policy) return a.policy == ConflictPolicy::kSiblings;
  if (a.policy == ConflictPolicy::kSiblings) return a.clock.Dominates(b.clock);
  return std::tie(a.stamp, a.lww_dot) >= std::tie(b.stamp, b.lww_dot);
}

}  // namespace dynamo
