// Members that leave and come back, change their capacity, or lose their disk and are
// replaced, by requests to the nodes' admin API, while everything else goes wrong.
#ifndef DYNAMO_TESTS_CHAOS_RING_CHANGES_H_
#define DYNAMO_TESTS_CHAOS_RING_CHANGES_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "common/admin/types.h"
#include "common/base/result.h"
#include "tests/cluster/real_cluster.h"

namespace dynamo::chaos {

// An administrator that is never in a hurry: a change goes on, a step at a time, after
// the fault that began it has ended, and is asked for again, under the same id, until
// an answer tells what came of it. One change at a time.
class RingChanges {
 public:
  // `is_well`: nothing is being done to the node itself, so that it may be asked, and
  // its disk be emptied. Both are the caller's.
  RingChanges(cluster::RealCluster* cluster, std::function<bool(size_t node)> is_well);

  // False: another change is not over, so that this one is left out.
  bool BeginLeave(size_t node);
  // Takes the leave back (which may be too late), or lets it go to its end. A node that
  // has left loses its disk, and so is another member, which joins.
  void EndLeave(bool take_back);
  // Doubles it until the end.
  bool BeginCapacity(size_t node);
  void EndCapacity() { ended_ = true; }
  // Deletes the disk of the node, and replaces the member by what starts on the empty one.
  bool BeginReplace(size_t node);

  // One step, unless the last one was a moment ago.
  void Step();
  bool AtRest() const { return actions_.empty(); }
  // A node that has left does not start again on the disk that it left with: it says so and ends.
  bool MayEnd(size_t node) const { return leaving_ && node == node_; }
  // For people: what is waited for.
  std::string Waiting() const;
  // How often what happened, as "leave: taken back".
  const std::map<std::string, uint64_t>& outcomes() const { return outcomes_; }

 private:
  // True: done, the next one follows.
  using Action = std::function<bool()>;

  bool Begin(size_t node);
  // Asks until it is known to be accepted, then follows it to its end.
  void Do(const std::string& type, std::function<admin::MemberOperation()> operation);
  void AddJoin();
  bool Ask(const std::string& id, const std::string& type, const admin::MemberOperation& operation);
  bool Follow(const std::string& id);
  bool TakeBackOrAwaitEnd(const std::string& leave);
  bool Empty();
  bool LearnId();
  size_t NextToAsk();
  void Note(const std::string& what) { ++outcomes_[what]; }

  cluster::RealCluster* cluster_;
  std::function<bool(size_t)> is_well_;
  std::deque<Action> actions_;
  size_t node_ = 0;
  bool ended_ = false, take_back_ = false, leaving_ = false;
  std::string old_id_, new_id_;
  uint64_t operations_ = 0, asked_ = 0;
  std::string waiting_;
  std::map<std::string, uint64_t> outcomes_;
  std::chrono::steady_clock::time_point last_step_;
};

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_RING_CHANGES_H_
