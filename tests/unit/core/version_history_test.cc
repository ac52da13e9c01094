// Random histories of clients and replicas, against a model that remembers every
// write and what its client had seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "node/core/version/object.h"
#include "tests/unit/core/version_generators.h"

namespace dynamo {
namespace {

using testing::Put;

using WriteId = uint64_t;
using Seen = std::set<WriteId>;

// What a client took from its last read.
struct Session {
  CausalContext context;
  Seen seen;
};

struct Replica {
  Object object;
  Bytes encoded = EncodeObject({});  // Led by encodings alone.
  Seen seen;  // The truth: every write that reached it, or that a write which reached it had seen.
  ActorId actor;
};

class History {
 public:
  History(uint64_t seed, size_t replicas, size_t clients) : random_(seed), replicas_(replicas), clients_(clients) {
    for (Replica& replica : replicas_) replica.actor = NewActor();
  }

  void Step() {
    Replica& replica = Any(replicas_);
    Session& client = Any(clients_);
    switch (random_.Below(10)) {
      case 0: client = {}; break;  // Its next write is blind.
      case 1:
      case 2: client = {ContextOf(replica.object), replica.seen}; break;
      case 3:
      case 4:
      case 5: WriteAt(replica, client); break;
      case 6: replica.actor = NewActor(); break;  // A restart.
      case 7:
        if (random_.Chance(0.2)) Wipe(replica);
        break;
      default: Merge(replica, Any(replicas_)); break;
    }
  }

  void MergeAll() {
    for (Replica& replica : replicas_) {
      for (Replica& other : replicas_) Merge(replica, other);
    }
    for (Replica& replica : replicas_) Merge(replica, replicas_.back());
  }

  void Check() const {
    for (const Replica& replica : replicas_) {
      ASSERT_EQ(ValuesOf(replica.object), SiblingsOf(replica.seen));
      ASSERT_EQ(EncodeObject(replica.object), replica.encoded);
      for (const Replica& other : replicas_) {
        const bool dominates = Dominates(replica.object, other.object);
        ASSERT_EQ(dominates, Dominates(HeaderOf(replica.object), HeaderOf(other.object)));
        ASSERT_EQ(dominates, std::ranges::includes(replica.seen, other.seen));
        ASSERT_EQ(replica.object == other.object, replica.seen == other.seen);
      }
    }
  }

  const std::vector<Replica>& replicas() const { return replicas_; }
  size_t most_siblings() const { return most_siblings_; }

 private:
  template <class T>
  T& Any(std::vector<T>& items) {
    return items[random_.Below(items.size())];
  }
  ActorId NewActor() { return {random_.Next() | 1}; }

  void WriteAt(Replica& replica, const Session& client) {
    const WriteId id = superseded_.size();
    superseded_.push_back(client.seen);
    replica.object = Mint(replica.object, client.context, Put(replica.actor, std::to_string(id)));
    replica.encoded = EncodeObject(replica.object);
    replica.seen.insert(client.seen.begin(), client.seen.end());
    replica.seen.insert(id);
    most_siblings_ = std::max(most_siblings_, replica.object.siblings.size());
  }

  // What a wiped actor minted may live elsewhere: it must never mint again.
  void Wipe(Replica& replica) {
    replica = {};
    replica.actor = NewActor();
  }

  static void Merge(Replica& into, const Replica& from) {
    into.object = Join(into.object, from.object);
    into.encoded = *JoinEncoded(into.encoded, from.encoded);
    into.seen.insert(from.seen.begin(), from.seen.end());
  }

  static std::set<std::string> ValuesOf(const Object& object) {
    std::set<std::string> values;
    for (const Sibling& sibling : object.siblings) values.insert(sibling.content.value);
    return values;
  }

  // The writes that nobody who is part of the state had seen before writing.
  std::set<std::string> SiblingsOf(const Seen& seen) const {
    Seen gone;
    for (const WriteId id : seen) gone.insert(superseded_[id].begin(), superseded_[id].end());
    std::set<std::string> values;
    for (const WriteId id : seen) {
      if (!gone.contains(id)) values.insert(std::to_string(id));
    }
    return values;
  }

  Rng random_;
  std::vector<Replica> replicas_;
  std::vector<Session> clients_;
  std::vector<Seen> superseded_;  // By write: what its client had seen.
  size_t most_siblings_ = 0;
};

TEST(Histories, SiblingsAreExactlyTheWritesThatNoOtherKnewOf) {
  size_t most_siblings = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    History history(seed, 2 + seed % 4, 1 + seed % 5);
    for (int step = 0; step < 60; ++step) {
      history.Step();
      ASSERT_NO_FATAL_FAILURE(history.Check()) << "seed " << seed << " step " << step;
    }
    most_siblings = std::max(most_siblings, history.most_siblings());
  }
  EXPECT_GE(most_siblings, 5u);
}

TEST(Histories, ReplicasThatHaveMetAreEqualBytes) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    History history(seed, 4, 3);
    for (int step = 0; step < 80; ++step) history.Step();
    history.MergeAll();
    ASSERT_NO_FATAL_FAILURE(history.Check()) << "seed " << seed;
    for (const Replica& replica : history.replicas()) {
      ASSERT_EQ(DigestOf(replica.encoded), DigestOf(history.replicas()[0].encoded)) << "seed " << seed;
    }
  }
}

// Each client reads and writes in a loop: with k of them there are never more than k siblings.
TEST(Histories, LoopingClientsNeverSeeMoreSiblingsThanThereAreClients) {
  constexpr size_t kClients = 3;
  Rng random(7);
  Object state;
  CausalContext contexts[kClients];
  for (int step = 0; step < 5000; ++step) {
    const size_t client = random.Below(kClients);
    state = Mint(state, contexts[client], Put({1 + random.Below(3)}, std::to_string(step)));
    contexts[client] = ContextOf(state);
    ASSERT_LE(state.siblings.size(), kClients);
  }
  EXPECT_LE(state.clock.size(), 3u);
}

// Why an actor is drawn anew whenever its memory of a key may be gone.
TEST(Histories, AnActorThatForgotItsDotsWouldLoseAWrite) {
  const Object replicated = Mint({}, {}, Put({1}, "acknowledged"));
  const Object wiped;
  const Object same_actor = Mint(wiped, {}, Put({1}, "blind"));
  EXPECT_EQ(Join(replicated, same_actor).siblings.size(), 1u);
  const Object new_actor = Mint(wiped, {}, Put({2}, "blind"));
  EXPECT_EQ(Join(replicated, new_actor).siblings.size(), 2u);
}

}  // namespace
}  // namespace dynamo
