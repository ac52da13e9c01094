#include "tests/chaos/ring_changes.h"

#include <fmt/format.h>

#include <utility>

#include "common/admin/client.h"
#include "tests/chaos/command.h"

namespace dynamo::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kInterval{500};
constexpr seconds kAnswerLimit{3};

admin::MemberOperation Of(const std::string& node_id, uint32_t capacity = 0) {
  admin::MemberOperation operation;
  operation.node_id = node_id;
  operation.capacity = capacity;
  return operation;
}

admin::MemberOperation Replacement(const std::string& lost, const std::string& by) {
  admin::MemberOperation operation = Of(by);
  operation.old_id = lost;
  return operation;
}

}  // namespace

RingChanges::RingChanges(cluster::RealCluster* cluster, std::function<bool(size_t)> is_well)
    : cluster_(cluster), is_well_(std::move(is_well)) {}

bool RingChanges::Begin(size_t node) {
  if (!AtRest()) return false;
  node_ = node;
  ended_ = take_back_ = false;
  old_id_.clear();
  new_id_.clear();
  // A node that was begun with is well, and so tells its id soon.
  actions_.emplace_back([this] {
    const auto identity = admin::Client(cluster_->node(node_).admin(), kAnswerLimit).GetIdentity();
    if (identity) old_id_ = identity->node_id;
    waiting_ = fmt::format("the id of node{}", node_ + 1);
    return identity.has_value();
  });
  return true;
}

bool RingChanges::BeginLeave(size_t node) {
  if (!Begin(node)) return false;
  const std::string leave = fmt::format("chaos-{}-leave", ++operations_);
  actions_.emplace_back([this, leave] {
    leaving_ = true;
    return Ask(leave, "leave", Of(old_id_));
  });
  actions_.emplace_back([this, leave] { return TakeBackOrAwaitEnd(leave); });
  return true;
}

void RingChanges::EndLeave(bool take_back) {
  ended_ = true;
  take_back_ = take_back;
}

bool RingChanges::BeginCapacity(size_t node) {
  if (!Begin(node)) return false;
  Do("capacity", [this] { return Of(old_id_, 2); });
  actions_.emplace_back([this] { return ended_; });
  Do("capacity", [this] { return Of(old_id_, 1); });
  actions_.emplace_back([this] {
    Note("capacity: doubled and halved");
    return true;
  });
  return true;
}

bool RingChanges::BeginReplace(size_t node) {
  if (!Begin(node)) return false;
  actions_.emplace_back([this] { return Empty(); });
  actions_.emplace_back([this] { return LearnId(); });
  // Refused while the lost member is thought to be alive.
  Do("replace", [this] { return Replacement(old_id_, new_id_); });
  Do("forget", [this] { return Of(old_id_); });
  actions_.emplace_back([this] {
    Note("replace: rebuilt on an empty disk");
    return true;
  });
  return true;
}

void RingChanges::Step() {
  const auto now = std::chrono::steady_clock::now();
  if (actions_.empty() || now - last_step_ < kInterval) return;
  if (actions_.front()()) actions_.pop_front();
  last_step_ = std::chrono::steady_clock::now();
}

std::string RingChanges::Waiting() const { return AtRest() ? "nothing" : waiting_; }

void RingChanges::Do(const std::string& type, std::function<admin::MemberOperation()> operation) {
  const std::string id = fmt::format("chaos-{}-{}", ++operations_, type);
  actions_.emplace_back([this, id, type, operation] { return Ask(id, type, operation()); });
  actions_.emplace_back([this, id] { return Follow(id); });
}

void RingChanges::AddJoin() {
  actions_.emplace_back([this] { return Empty(); });
  actions_.emplace_back([this] { return LearnId(); });
  Do("join", [this] { return Of(new_id_); });
  Do("forget", [this] { return Of(old_id_); });
  actions_.emplace_back([this] {
    Note("leave: left, and joined again");
    return true;
  });
}

bool RingChanges::Ask(const std::string& id, const std::string& type, const admin::MemberOperation& operation) {
  const size_t asked = NextToAsk();
  const auto accepted = admin::Client(cluster_->node(asked).admin(), kAnswerLimit).Change(id, type, operation);
  waiting_ = fmt::format("{} to be accepted by node{}: {}", id, asked + 1, accepted ? "" : accepted.error().message);
  return accepted.has_value();
}

bool RingChanges::Follow(const std::string& id) {
  const size_t asked = NextToAsk();
  const auto now = admin::Client(cluster_->node(asked).admin(), kAnswerLimit).GetOperation(id);
  waiting_ = fmt::format("{} to be done; node{} says: {}", id, asked + 1, now ? now->message : now.error().message);
  return now && now->state == "done";
}

bool RingChanges::TakeBackOrAwaitEnd(const std::string& leave) {
  const size_t asked = NextToAsk();
  const auto now = admin::Client(cluster_->node(asked).admin(), kAnswerLimit).GetOperation(leave);
  waiting_ = fmt::format("{} to be over; node{} says: {}", leave, asked + 1, now ? now->message : now.error().message);
  if (now && now->state == "done") {
    if (ended_) AddJoin();
    return ended_;
  }
  if (now && now->state == "cancelled") {
    const std::string id = fmt::format("chaos-{}-cancel", operations_);
    actions_.emplace_back([this, id] { return Follow(id); });
    actions_.emplace_back([this] {
      leaving_ = false;
      Note("leave: taken back");
      return true;
    });
    return true;
  }
  // Asked under one id: the leave may be over before an answer comes, which the next look tells.
  if (ended_ && take_back_) (void)Ask(fmt::format("chaos-{}-cancel", operations_), "cancel", {});
  return false;
}

bool RingChanges::Empty() {
  waiting_ = fmt::format("node{} to be well, so that its disk can be emptied", node_ + 1);
  cluster::NodeProcess& process = cluster_->node(node_);
  if (!is_well_(node_)) return false;
  process.Kill();
  // The folder itself may be where a disk is mounted.
  const bool emptied = Execute(fmt::format("find {} -mindepth 1 -delete", process.data_folder())).has_value();
  process.Start();
  leaving_ = false;
  return emptied;
}

bool RingChanges::LearnId() {
  waiting_ = fmt::format("node{} to start on its empty disk", node_ + 1);
  const auto identity = admin::Client(cluster_->node(node_).admin(), kAnswerLimit).GetIdentity();
  if (!identity || identity->node_id == old_id_) return false;
  new_id_ = identity->node_id;
  return true;
}

size_t RingChanges::NextToAsk() {
  for (size_t tried = 0; tried < cluster_->size(); ++tried) {
    const size_t node = asked_++ % cluster_->size();
    if (node != node_ && is_well_(node) && cluster_->node(node).running()) return node;
  }
  return asked_ % cluster_->size();
}

}  // namespace dynamo::chaos
