// The steps that may follow a state, and what must hold in each: one key on a few
// nodes, every decision taken by the functions of the store.
#ifndef DYNAMO_TESTS_CHECKER_MODEL_H_
#define DYNAMO_TESTS_CHECKER_MODEL_H_

#include <functional>
#include <string>
#include <vector>

#include "node/core/replication/roles.h"
#include "tests/checker/objects.h"
#include "tests/checker/rules.h"
#include "tests/checker/state.h"

namespace dynamo::checker {

struct Step {
  State next;
  std::string text;
};

class Model {
 public:
  Model(const Scope& scope, Rules rules);

  State Initial() const;
  // `with_text`: for people; costs more than the step.
  void Steps(const State& state, bool with_text, std::vector<Step>* steps);
  // What the state breaks, kNone if nothing.
  Property Check(const State& state);
  const Scope& scope() const { return scope_; }
  Objects& objects() { return objects_; }

 private:
  // Who takes part if a coordinator takes the nodes in `away` for down.
  struct Plan {
    NodeNo coordinator;
    uint8_t away;
    Roles roles;
    LocalWrite local;
  };
  using Text = std::function<std::string()>;
  // A step that leaves more messages on their way than the scope allows goes on
  // until some have come, or are lost.
  void Take(const State& taken, const Text& text);
  void MakePlans();
  bool Believable(const Plan& plan, const State& state) const;
  bool IsOwner(NodeNo node) const { return node <= scope_.n; }
  static std::string NameOf(NodeNo node) { return std::string(1, static_cast<char>('A' + node - 1)); }
  std::string PlanText(const Plan& plan) const;

  // Clients.
  void Puts(const State& state);
  void PutsAt(const Plan& plan, const State& state);
  void HalfwayPuts(const State& state);
  // False: too many puts wait at once.
  bool Mint(const Plan& plan, ObjectNo before, ObjectNo context, bool tombstone, State* next);
  void FailedLocalRead(const Plan& plan, const State& state);
  std::string PutText(const Plan& plan, const State& next) const;
  void Reads(const State& state);
  // What has become of a read so far.
  struct Reading {
    std::vector<ReadPart> parts;
    std::vector<ReplicaTarget> targets, asked;
    std::vector<NodeId> spare;
    int lost = 0;
    NodeNo read_error = 0;
  };
  void ReadOn(const Plan& plan, const State& state, Reading reading);
  void EndRead(const Plan& plan, const State& state, const Reading& reading);

  // Network, hints, repair.
  void Deliveries(const State& state);
  void Deliver(size_t at, const State& state);
  void Lose(size_t at, State* next);
  void Apply(const Message& message, State* next);
  void Answered(const Message& message, State* next);
  void Handoffs(const State& state);

  // Faults and the disk.
  void Faults(const State& state);
  void Syncs(const State& state);

  // Parts of steps.
  void Cover(const Message& failed, State* next);
  void Stored(Op* op, NodeNo node, State* next);
  void Sync(NodeNo node, State* next);
  void KeepHint(NodeNo node, NodeNo owner, ObjectNo object, State* next);
  void DropHints(NodeNo node, NodeNo owner, ObjectNo sent, State* next);
  void Receive(NodeNo node, ObjectNo object, State* next);
  void Forget(NodeNo node, State* next);
  ObjectNo LocalState(NodeNo node, const State& state);

  // Properties.
  uint8_t Past(ObjectNo object, const State& state) const;
  uint8_t Held(NodeNo node, const State& state) const;
  State Healed(const State& state);

  Scope scope_;
  Rules rules_;
  Objects objects_;
  std::vector<Plan> plans_;
  std::vector<Step>* steps_ = nullptr;
  bool with_text_ = false;
  std::string text_;  // Of the step so far.
};

}  // namespace dynamo::checker

#endif  // DYNAMO_TESTS_CHECKER_MODEL_H_
