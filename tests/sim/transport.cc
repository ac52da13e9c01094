#include "tests/sim/transport.h"

#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo::sim {
namespace {

uint32_t MillisecondsLeft(TimePoint now, TimePoint deadline) {
  return static_cast<uint32_t>(std::max<int64_t>(1, ((deadline - now).count() + 999) / 1000));
}

}  // namespace

SimTransport::SimTransport(SimNetwork* network, Clock* clock, Place place)
    : network_(network), clock_(clock), place_(std::move(place)) {
  network_->Join(this);
}

SimTransport::~SimTransport() { network_->Leave(this); }

void SimTransport::Abandon() {
  handler_ = nullptr;
  // What a callback owns may call back as it goes.
  const auto pending = std::exchange(pending_, {});
  const auto incoming = std::exchange(incoming_, {});
}

void SimTransport::Call(NodeId to, SharedBytes body, TimePoint deadline, ReplyCallback reply) {
  const auto address = addresses_.find(to);
  Start(to, address == addresses_.end() ? std::string() : address->second, cluster_tag_, std::move(body), deadline,
        std::move(reply));
}

void SimTransport::CallAddress(std::string address, SharedBytes body, TimePoint deadline, ReplyCallback reply) {
  Start(NodeId{}, address, /*cluster_tag=*/0, std::move(body), deadline, std::move(reply));
}

void SimTransport::Start(NodeId to, const std::string& address, uint64_t cluster_tag, SharedBytes body,
                         TimePoint deadline, ReplyCallback reply) {
  const uint64_t call_id = ++next_call_;
  Pending& pending = pending_[call_id];
  pending.to = to;
  pending.reply = std::move(reply);
  const TimePoint now = clock_->Now();
  if (address.empty() || deadline <= now) {
    pending.timer = clock_->At(now, [this, call_id, unknown = address.empty()] {
      Finish(call_id,
             Fail(Errc::kUnavailable, unknown ? "no address is known for the node" : "the deadline has passed"));
    });
    return;
  }
  pending.timer =
      clock_->At(deadline, [this, call_id] { Finish(call_id, Fail(Errc::kTimeout, "no answer by the deadline")); });

  const SimNetwork::Listener listener = network_->Find(address);
  if (listener.process == kNobody) return Refuse(call_id, listener.host, "connection refused");
  if (to && listener.shards[0]->self() != to) {
    return Refuse(call_id, listener.host, "another node listens at the address");
  }
  ConnectionPtr& connection = connections_[listener.process];
  if (!connection || connection->broken) connection = network_->Connect(*this, listener);
  pending.connection = connection;
  FrameHeader header;
  header.call_id = call_id;
  header.from = self_;
  header.to = to;
  header.cluster_tag = cluster_tag;
  header.timeout_ms = MillisecondsLeft(now, deadline);
  network_->SendRequest(connection, header, std::move(body));
}

void SimTransport::Refuse(uint64_t call_id, HostId host, const char* why) {
  network_->Refuse(*this, host, [this, call_id, why] {
    const auto found = pending_.find(call_id);
    if (found == pending_.end()) return;
    const NodeId peer = found->second.to;
    Finish(call_id, Fail(Errc::kUnavailable, why));
    if (peer && handler_ != nullptr) handler_->OnPeerUnreachable(peer);
  });
}

void SimTransport::Finish(uint64_t call_id, Result<Bytes> answer) {
  const auto found = pending_.find(call_id);
  if (found == pending_.end()) return;
  clock_->Cancel(found->second.timer);
  const ReplyCallback reply = std::move(found->second.reply);
  pending_.erase(found);
  reply(std::move(answer));
}

ConnectionPtr SimTransport::ConnectionTo(ProcessId process) const {
  const auto found = connections_.find(process);
  return found == connections_.end() ? nullptr : found->second;
}

std::vector<ConnectionPtr> SimTransport::Connections() const {
  std::vector<ConnectionPtr> connections;
  for (const auto& [process, connection] : connections_) connections.push_back(connection);
  return connections;
}

void SimTransport::OnRequest(const ConnectionPtr& connection, const FrameHeader& header, const Bytes& body) {
  if (header.cluster_tag != 0 && cluster_tag_ != 0 && header.cluster_tag != cluster_tag_) {
    network_->CountForeign();
    return;
  }
  if (handler_ == nullptr) return;
  const TimePoint now = clock_->Now();
  // An answer past its deadline serves nobody, so what was never answered goes.
  while (!incoming_.empty() && incoming_.begin()->second.deadline < now) incoming_.erase(incoming_.begin());
  const uint64_t serial = ++next_incoming_;
  const TimePoint deadline = now + std::chrono::milliseconds(header.timeout_ms);
  incoming_[serial] = {connection, header.call_id, deadline};
  handler_->OnPeerRequest({header.from, deadline, body},
                          [this, serial](SharedBytes answer) { Respond(serial, std::move(answer)); });
}

void SimTransport::Respond(uint64_t serial, SharedBytes body) {
  const auto found = incoming_.find(serial);
  if (found == incoming_.end()) return;
  const Incoming request = std::move(found->second);
  incoming_.erase(found);
  network_->SendResponse(request.connection, request.call_id, FittingAnswer(std::move(body)));
}

void SimTransport::OnResponse(uint64_t call_id, const Bytes& body) { Finish(call_id, body); }

void SimTransport::OnBroken(const ConnectionPtr& connection) {
  const auto known = connections_.find(connection->to);
  if (known != connections_.end() && known->second == connection) connections_.erase(known);
  std::vector<uint64_t> lost;
  NodeId peer;
  for (const auto& [call_id, pending] : pending_) {
    if (pending.connection != connection) continue;
    lost.push_back(call_id);
    if (pending.to) peer = pending.to;
  }
  if (peer && handler_ != nullptr) handler_->OnPeerUnreachable(peer);
  for (uint64_t call_id : lost) Finish(call_id, Fail(Errc::kTimeout, "the connection broke"));
}

}  // namespace dynamo::sim
