// A lockstep cluster of failure detectors: time goes in steps, every message takes
// one step, some are lost, rumours ride on pings and acks. No sockets, no threads.
#ifndef DYNAMO_TESTS_UNIT_CORE_MEMBERSHIP_MODEL_H_
#define DYNAMO_TESTS_UNIT_CORE_MEMBERSHIP_MODEL_H_

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "common/base/random.h"
#include "node/core/membership/failure_detector.h"
#include "node/core/membership/rumours.h"

namespace dynamo {

inline NodeInfo ModelInfo(uint64_t id, uint64_t boot = 1) {
  NodeInfo info;
  info.id = NodeId{id};
  info.incarnation = boot << 32;
  return info;
}

class ModelCluster {
 public:
  static constexpr Duration kStep{50'000};

  ModelCluster(uint64_t nodes, uint64_t seed) : rng_(seed) {
    for (uint64_t id = 1; id <= nodes; ++id) nodes_.push_back(std::make_unique<Node>(id, 1, rng_.Fork()));
    for (auto& node : nodes_) {
      for (uint64_t id = 1; id <= nodes; ++id) node->table.Hear(ModelInfo(id));
    }
  }

  void Run(Duration how_long) {
    for (const TimePoint end = now_ + how_long; now_ < end;) Step();
  }
  // How long it took; `limit` if it did not come to be.
  Duration RunUntil(const std::function<bool()>& done, Duration limit) {
    const TimePoint began = now_;
    while (!done() && now_ - began < limit) Step();
    return now_ - began;
  }

  void Crash(uint64_t id) { At(id).crashed = true; }
  // A new process of the same node, that knows all and tells all of itself.
  void Restart(uint64_t id) {
    const uint64_t boot = (At(id).table.self().incarnation >> 32) + 1;
    nodes_[id - 1] = std::make_unique<Node>(id, boot, rng_.Fork());
    for (auto& other : nodes_) {
      if (other->id != NodeId{id}) At(id).table.Hear(other->table.self());
      if (other->id != NodeId{id}) Send({NodeId{id}, other->id, Kind::kRumour, 0, {}, {ModelInfo(id, boot)}});
    }
  }
  void set_loss(double loss) { loss_ = loss; }
  // Messages from one to the other vanish.
  void Cut(uint64_t from, uint64_t to) { cuts_.insert({NodeId{from}, NodeId{to}}); }
  void Heal() { cuts_.clear(); }

  bool IsUp(uint64_t observer, uint64_t subject) { return At(observer).detector.IsUp(NodeId{subject}); }
  Liveness Seen(uint64_t observer, uint64_t subject) { return At(observer).table.Find(NodeId{subject})->liveness; }
  void RequestFailed(uint64_t observer, uint64_t subject) {
    Act(At(observer), At(observer).detector.OnRequestFailed(NodeId{subject}, now_));
  }
  bool EverybodyElse(uint64_t subject, const std::function<bool(uint64_t)>& holds) {
    for (auto& node : nodes_) {
      if (node->id.value != subject && !node->crashed && !holds(node->id.value)) return false;
    }
    return true;
  }
  uint64_t deaths_declared() const { return deaths_; }
  uint64_t messages() const { return messages_; }
  // Actions that no detector may ever emit.
  uint64_t bad_targets() const { return bad_targets_; }
  TimePoint now() const { return now_; }
  uint64_t incarnation(uint64_t id) { return At(id).table.self().incarnation; }

 private:
  enum class Kind { kPing, kAck, kPingRequest, kRelayAck, kRelayNack, kRumour };
  struct Message {
    NodeId from, to;
    Kind kind;
    uint64_t sequence;
    NodeId target;
    std::vector<NodeInfo> rumours;
  };
  struct Relay {
    NodeId asker, target;
    uint64_t sequence;
    TimePoint give_up;
  };
  struct Node {
    Node(uint64_t number, uint64_t boot, Rng rng)
        : id{number}, table(ModelInfo(number, boot)), detector({}, &table, rng) {}
    NodeId id;
    MemberTable table;
    FailureDetector detector;
    RumourQueue queue;
    std::vector<Relay> relays;
    bool crashed = false;
  };
  static constexpr uint64_t kRelayed = uint64_t{1} << 63;

  Node& At(uint64_t id) { return *nodes_[id - 1]; }

  void Step() {
    now_ += kStep;
    const std::vector<Message> arriving = std::exchange(in_flight_, {});
    for (const Message& message : arriving) {
      Node& to = At(message.to.value);
      if (!to.crashed) Receive(to, message);
    }
    for (auto& node : nodes_) {
      if (node->crashed) continue;
      GiveUpRelays(*node);
      Act(*node, node->detector.Tick(now_));
    }
  }

  void Receive(Node& self, const Message& message) {
    for (const NodeInfo& rumour : message.rumours) {
      Act(self, self.detector.OnRumour(rumour.id, self.table.Hear(rumour), now_));
    }
    Act(self, self.detector.OnHeardFrom(message.from, now_));
    switch (message.kind) {
      case Kind::kPing:
        Send({self.id, message.from, Kind::kAck, message.sequence, {}, Riding(self, message.from)});
        break;
      case Kind::kPingRequest:
        self.relays.push_back({message.from, message.target, message.sequence, now_ + Duration(300'000)});
        Send({self.id, message.target, Kind::kPing, message.sequence | kRelayed, {}, Riding(self, message.target)});
        break;
      case Kind::kAck:
        if ((message.sequence & kRelayed) != 0) return AnswerRelay(self, message);
        self.detector.OnAck(message.sequence, message.from, now_);
        break;
      case Kind::kRelayAck: self.detector.OnAck(message.sequence, message.from, now_); break;
      case Kind::kRelayNack: Act(self, self.detector.OnNack(message.sequence, message.from, now_)); break;
      case Kind::kRumour: break;
    }
  }

  void AnswerRelay(Node& self, const Message& ack) {
    std::erase_if(self.relays, [&](const Relay& relay) {
      const bool mine = relay.target == ack.from && (relay.sequence | kRelayed) == ack.sequence;
      if (mine) Send({self.id, relay.asker, Kind::kRelayAck, relay.sequence, {}, Riding(self, relay.asker)});
      return mine;
    });
  }
  void GiveUpRelays(Node& self) {
    std::erase_if(self.relays, [&](const Relay& relay) {
      const bool late = now_ >= relay.give_up;
      if (late) Send({self.id, relay.asker, Kind::kRelayNack, relay.sequence, {}, {}});
      return late;
    });
  }

  // A node that is not thought alive is told so, in order to refute it.
  std::vector<NodeInfo> Riding(Node& self, NodeId to) {
    std::vector<NodeInfo> rumours = self.queue.Take(6, self.table.size());
    const NodeInfo* known = self.table.Find(to);
    if (known != nullptr && known->liveness != Liveness::kAlive) rumours.push_back(*known);
    return rumours;
  }

  void Act(Node& self, const DetectorActions& actions) {
    for (const DetectorAction& action : actions) {
      if (const auto* ping = std::get_if<SendPing>(&action)) {
        CheckTarget(self, ping->to);
        Send({self.id, ping->to, Kind::kPing, ping->sequence, {}, Riding(self, ping->to)});
      } else if (const auto* request = std::get_if<SendPingRequest>(&action)) {
        CheckTarget(self, request->via);
        CheckTarget(self, request->target);
        Send({self.id, request->via, Kind::kPingRequest, request->sequence, request->target,
              Riding(self, request->via)});
      } else {
        const NodeInfo& info = std::get<Spread>(action).info;
        if (info.liveness == Liveness::kDead) ++deaths_;
        self.queue.Add(info);
      }
    }
  }
  void CheckTarget(Node& self, NodeId target) {
    if (target == self.id || self.table.Find(target) == nullptr) ++bad_targets_;
  }

  void Send(Message message) {
    ++messages_;
    if (rng_.Chance(loss_) || cuts_.contains({message.from, message.to})) return;
    in_flight_.push_back(std::move(message));
  }

  Rng rng_;
  TimePoint now_{};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Message> in_flight_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  double loss_ = 0;
  uint64_t deaths_ = 0, messages_ = 0, bad_targets_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_CORE_MEMBERSHIP_MODEL_H_
