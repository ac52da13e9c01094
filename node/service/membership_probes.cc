// The failure detector's conversations: pings, indirect pings, and the rumours that
// ride on them.
#include <algorithm>
#include <utility>

#include "common/base/bytes.h"
#include "node/protocol/messages.h"
#include "node/service/membership_state.h"

namespace dynamo {
namespace {

void AddRumour(const NodeInfo& info, RumourList* rumours) {
  ByteWriter out(rumours->Add());
  EncodeNodeInfo(info, out);
}

}  // namespace

Async<> Membership::State::ProbeLoop() {
  for (;;) {
    Perform(detector.Tick(env.clock->Now()));
    Refresh();
    // The detector may get work meanwhile, by a failed request, that wakes it earlier.
    const TimePoint now = env.clock->Now();
    const TimePoint latest = now + config.failure_detector.probe_interval / 10;
    co_await SleepUntil(*env.scope, *env.clock, std::clamp(detector.NextWake(), now + Duration(1000), latest));
  }
}

void Membership::State::AddRiding(NodeId to, RumourList* riding) {
  for (const NodeInfo& info : rumours.Take(config.rumours_per_message, table.size())) AddRumour(info, riding);
  const NodeInfo* known = table.Find(to);
  if (known != nullptr && known->liveness != Liveness::kAlive) AddRumour(*known, riding);
}

peer::Request Membership::State::PingTo(NodeId to) {
  peer::Request request;
  AddRiding(to, request.mutable_ping()->mutable_rumours());
  return request;
}

void Membership::State::SendProbe(const SendPing& ping) {
  const Duration patience = config.failure_detector.probe_timeout * 2 * (1 + detector.awareness());
  env.transport->Call(ping.to, EncodeRequest(PingTo(ping.to)), In(patience), [this, ping](const Result<Bytes>& reply) {
    const bool refused = !reply && reply.error().code == Errc::kUnavailable;
    const auto answer = ParseReply(reply);
    if (answer && answer->has_ack()) {
      HearRumours(ping.to, answer->ack().rumours());
      detector.OnAck(ping.sequence, ping.to, env.clock->Now());
    } else if (reply || refused) {
      Perform(detector.OnNack(ping.sequence, ping.to, env.clock->Now()));
    }
    Refresh();
  });
}

void Membership::State::SendIndirectProbe(const SendPingRequest& indirect) {
  peer::Request request;
  request.mutable_ping_request()->set_target(indirect.target.value);
  AddRiding(indirect.via, request.mutable_ping_request()->mutable_rumours());
  const Duration patience = config.failure_detector.probe_timeout * 2 * (1 + detector.awareness());
  env.transport->Call(indirect.via, EncodeRequest(request), In(patience), [this, indirect](const Result<Bytes>& reply) {
    if (!reply) return;  // Of the target it says nothing.
    const auto answer = ParseReply(reply);
    if (answer && answer->has_ack()) {
      HearRumours(indirect.via, answer->ack().rumours());
      detector.OnAck(indirect.sequence, indirect.via, env.clock->Now());
    } else {
      Perform(detector.OnNack(indirect.sequence, indirect.via, env.clock->Now()));
    }
    Refresh();
  });
}

void Membership::State::HandlePing(NodeId from, const peer::Ping& ping, const Responder& respond) {
  HearRumours(from, ping.rumours());
  Perform(detector.OnHeardFrom(from, env.clock->Now()));
  peer::Response response;
  AddRiding(from, response.mutable_ack()->mutable_rumours());
  respond(EncodeResponse(response));
}

void Membership::State::HandlePingRequest(NodeId from, const peer::PingRequest& request, Responder respond) {
  HearRumours(from, request.rumours());
  Perform(detector.OnHeardFrom(from, env.clock->Now()));
  const NodeId target{request.target()};
  if (target == self_id() || table.Find(target) == nullptr) {
    respond(EncodeFailure({Errc::kNotFound, "ping for another: node " + ToString(target) + " is not known here"}));
    return;
  }
  const TimePoint deadline = In(config.failure_detector.probe_timeout);
  env.transport->Call(
      target, EncodeRequest(PingTo(target)), deadline,
      [this, from, target, respond = std::move(respond)](const Result<Bytes>& reply) {
        const auto answer = ParseReply(reply);
        if (!answer || !answer->has_ack()) {
          return respond(EncodeFailure({Errc::kUnavailable, "node " + ToString(target) + " is silent"}));
        }
        HearRumours(target, answer->ack().rumours());
        Perform(detector.OnHeardFrom(target, env.clock->Now()));
        peer::Response response;
        AddRiding(from, response.mutable_ack()->mutable_rumours());
        // What it says of itself is what the asker wants to hear. A stranger may have
        // been forgotten while it was asked.
        const NodeInfo* known = table.Find(target);
        if (known != nullptr) AddRumour(*known, response.mutable_ack()->mutable_rumours());
        respond(EncodeResponse(response));
        Refresh();
      });
}

}  // namespace dynamo
