// What clients do: puts, deletes and reads, and the coordinator's part in them.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.h"
#include "tests/checker/model.h"

namespace dynamo::checker {

void Model::Puts(const State& state) {
  if (state.puts == 0 && state.deletes == 0) return;
  for (const Plan& plan : plans_) {
    if (!Believable(plan, state)) continue;
    PutsAt(plan, state);
    if (plan.away == 0 && state.read_errors > 0) FailedLocalRead(plan, state);
  }
}

// With any context that a client ever got, or none.
void Model::PutsAt(const Plan& plan, const State& state) {
  const ObjectNo before = LocalState(plan.coordinator, state);
  for (size_t i = 0; i <= state.contexts.size(); ++i) {
    const ObjectNo context = i == 0 ? ObjectNo{0} : state.contexts[i - 1];
    if (i > 0 && context == 0) break;
    for (const bool tombstone : {false, true}) {
      if ((tombstone ? state.deletes : state.puts) == 0 || (tombstone && context == 0)) continue;
      State next = state;
      if (!Mint(plan, before, context, tombstone, &next)) continue;
      Take(next, [&] { return PutText(plan, next) + ", context " + objects_.Text(context); });
    }
    if (rules_.On(Rule::kCriticalSection) || state.halfway.coordinator != 0 || state.puts == 0) continue;
    State next = state;
    next.halfway = {plan.coordinator, 0, context, before};
    Take(next, [&] { return "a put reads at " + NameOf(plan.coordinator) + ", context " + objects_.Text(context); });
  }
}

void Model::HalfwayPuts(const State& state) {
  const Halfway& halfway = state.halfway;
  if (halfway.coordinator == 0) return;
  for (const Plan& plan : plans_) {
    if (plan.coordinator != halfway.coordinator || !Believable(plan, state)) continue;
    State next = state;
    next.halfway = {};
    if (!Mint(plan, halfway.before, halfway.context, false, &next)) continue;
    Take(next, [&] { return PutText(plan, next) + ", on what it had read"; });
  }
}

// The coordinator's disk fails to give what it holds: it refuses the put.
void Model::FailedLocalRead(const Plan& plan, const State& state) {
  State next = state;
  --next.read_errors;
  if (rules_.On(Rule::kReadErrorIsNotAbsence)) {
    next.node(plan.coordinator).actor = 0;
    return Take(next, [&] { return "a put is refused: read error at " + NameOf(plan.coordinator); });
  }
  if (state.puts == 0 || !Mint(plan, 0, 0, false, &next)) return;
  Take(next, [&] { return PutText(plan, next) + ", which could not read its disk"; });
}

std::string Model::PutText(const Plan& plan, const State& next) const {
  const Write& write = next.writes[next.write_count - 1u];
  const Op& op = *std::ranges::find(next.ops, next.write_count, &Op::write);
  return fmt::format("w{} is minted at {} with dot (a{}, {}), which makes {}", next.write_count, PlanText(plan),
                     write.actor, write.counter, objects_.Text(op.object));
}

bool Model::Mint(const Plan& plan, ObjectNo before, ObjectNo context, bool tombstone, State* next) {
  const auto free = std::ranges::find(next->ops, WriteNo{0}, &Op::write);
  if (free == next->ops.end()) return false;
  --(tombstone ? next->deletes : next->puts);
  const WriteNo number = ++next->write_count;
  Node& node = next->node(plan.coordinator);
  if (node.actor == 0) node.actor = number;
  const bool supersedes_own = rules_.On(Rule::kContextSupersedesItsOwn);
  const ObjectNo minted =
      objects_.Mint(before, supersedes_own ? context : objects_.Join(before, context), node.actor, number, tombstone);
  Write& write = next->writes[number - 1u];
  write = {node.actor, objects_.Counter(minted, node.actor), Past(context, *next), 0};
  for (WriteNo other = 1; other < number; ++other) {
    const Write& earlier = next->writes[other - 1u];
    if (earlier.actor == write.actor && earlier.counter == write.counter) next->broken = Property::kDot;
  }
  Op op{number, plan.coordinator, 0, 0, 1, {}, 0, minted};
  for (size_t i = 0; i < plan.roles.plan.spare.size(); ++i) {
    op.spare[i] = static_cast<NodeNo>(plan.roles.plan.spare[i].value);
  }
  if (!rules_.On(Rule::kDistinctNodesCount)) op.extra = static_cast<uint8_t>(plan.roles.plan.uncovered.size());
  for (const ReplicaTarget& target : plan.roles.plan.targets) {
    if (target.node.value == plan.coordinator) continue;
    const Message put{MessageKind::kPut,
                      plan.coordinator,
                      static_cast<NodeNo>(target.node.value),
                      static_cast<NodeNo>(target.stands_in_for.value),
                      number,
                      0,
                      minted};
    AddMessage(put, next);
  }
  if (plan.local.replica) node.memory = minted;
  for (const NodeId owner : plan.local.hints_for) {
    KeepHint(plan.coordinator, static_cast<NodeNo>(owner.value), minted, next);
  }
  *free = op;
  // Only a crash tells a write that is synced from one that is not yet.
  if (rules_.On(Rule::kAckAfterSync) && next->crashes > 0) return true;
  if (rules_.On(Rule::kAckAfterSync)) Sync(plan.coordinator, next);
  free->self_unsynced = 0;
  Stored(&*free, plan.coordinator, next);
  return true;
}

void Model::Reads(const State& state) {
  if (state.reads == 0) return;
  for (const Plan& plan : plans_) {
    if (!Believable(plan, state)) continue;
    Reading reading;
    reading.targets = plan.roles.plan.targets;
    reading.spare = plan.roles.plan.spare;
    ReadOn(plan, state, std::move(reading));
  }
}

// The next node answers, or does not: it is down, its answer is lost (one in a
// read), or its disk fails. For each that fails the next of the walk is asked.
void Model::ReadOn(const Plan& plan, const State& state, Reading reading) {
  if (reading.targets.empty()) return EndRead(plan, state, reading);
  const ReplicaTarget target = reading.targets.front();
  reading.targets.erase(reading.targets.begin());
  reading.asked.push_back(target);
  const auto node = static_cast<NodeNo>(target.node.value);
  const bool owner = IsOwner(node), primary = !target.stands_in_for;
  if (state.up(node)) {
    Reading answered = reading;
    ReadPart part{node, primary, owner, true, LocalState(node, state)};
    if (part.object == 0 && !rules_.On(Rule::kFallbackAbsenceProvesNothing)) part.primary = part.authoritative = true;
    answered.parts.push_back(part);
    ReadOn(plan, state, answered);
    if (state.read_errors > 0 && reading.read_error == 0) {
      Reading failed = reading;
      failed.read_error = node;
      failed.parts.push_back({node, primary, owner, !rules_.On(Rule::kReadErrorIsNotAbsence), 0});
      if (rules_.On(Rule::kReadErrorIsNotAbsence) && !failed.spare.empty()) {
        failed.targets.push_back({failed.spare.front(), primary ? target.node : target.stands_in_for});
        failed.spare.erase(failed.spare.begin());
      }
      ReadOn(plan, state, failed);
    }
    if (node == plan.coordinator || reading.lost > 0) return;
    ++reading.lost;
  }
  reading.parts.push_back({node, primary, owner, false, 0});
  if (!reading.spare.empty()) {
    reading.targets.push_back({reading.spare.front(), primary ? target.node : target.stands_in_for});
    reading.spare.erase(reading.spare.begin());
  }
  ReadOn(plan, state, std::move(reading));
}

void Model::EndRead(const Plan& plan, const State& state, const Reading& reading) {
  const ReadOutcome& outcome = objects_.Read(reading.parts);
  State next = state;
  --next.reads;
  if (reading.read_error != 0) {
    --next.read_errors;
    if (rules_.On(Rule::kReadErrorIsNotAbsence)) next.node(reading.read_error).actor = 0;
  }
  const uint8_t past = Past(outcome.joined, state);
  for (WriteNo write = 1; write <= state.write_count; ++write) {
    const bool by_owners = (state.writes[write - 1u].acked & kAckedByOwners) != 0;
    const bool nothing = outcome.met && outcome.joined == 0;
    if (by_owners && !HasBit(past, write) && (nothing || outcome.met_by_owners)) next.broken = Property::kSession;
  }
  if (outcome.met && !AddContext(outcome.joined, &next)) return;
  for (const NodeNo behind : outcome.behind) {
    const auto target = std::ranges::find(reading.asked, NodeId{behind}, &ReplicaTarget::node);
    const Message repair{MessageKind::kRepair, 0, behind, static_cast<NodeNo>(target->stands_in_for.value), 0, 0,
                         outcome.joined};
    if (behind == plan.coordinator) {
      Apply(repair, &next);
    } else {
      AddMessage(repair, &next);
    }
  }
  Take(next, [&] {
    std::string from;
    for (const ReadPart& part : reading.parts) {
      const bool nothing = part.answers && part.object == 0;
      from += (from.empty() ? "" : ", ") + NameOf(part.node);
      if (nothing) from += " has nothing";
      if (!part.answers) from += " fails";
    }
    return fmt::format("a read at {} ({}) {}", PlanText(plan), from,
                       !outcome.met          ? "has no quorum"
                       : outcome.joined == 0 ? "finds nothing"
                                             : "finds " + objects_.Text(outcome.joined));
  });
}

}  // namespace dynamo::checker
