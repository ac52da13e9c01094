#include "node/service/peers.h"

#include <memory>
#include <optional>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {

void Peers::Call(NodeId to, SharedBytes body, TimePoint deadline, Reply reply) {
  const TimePoint sent = shard_->Now();
  shard_->env.transport->Call(
      to, std::move(body), deadline, [this, to, sent, reply = std::move(reply)](Result<Bytes> answer) {
        if (!answer && answer.error().code == Errc::kUnavailable && sign_) sign_(to, false);
        Result<peer::Response> response = answer ? ParseResponse(*answer) : Fail(std::move(answer.error()));
        Judge(to, shard_->Now() - sent, response);
        if (response && response->has_stale_generation() && stale_) {
          stale_(response->stale_generation().partition(), response->stale_generation().reap_generation());
        }
        reply(std::move(response));
      });
}

void Peers::Judge(NodeId peer, Duration latency, const Result<peer::Response>& response) {
  // Reads alone: they say how near a peer is; writes wait for disks, forwards for quorums.
  const bool read = response && response->has_replica_state();
  const bool late = !response && response.error().code == Errc::kTimeout;
  if (read || late) latency_.Record(peer, latency);
  if (response && sign_ && !shard_->IsUp(peer)) sign_(peer, true);
}

Async<Result<peer::Response>> Peers::Ask(NodeId to, SharedBytes body, TimePoint deadline) {
  struct Waiting {
    Event done;
    std::optional<Result<peer::Response>> response;
  };
  auto waiting = std::make_shared<Waiting>(Waiting{Event(*shard_->env.scope), std::nullopt});
  Call(to, std::move(body), deadline, [waiting](Result<peer::Response> response) {
    waiting->response = std::move(response);
    waiting->done.Set();
  });
  co_await waiting->done.Wait();
  co_return std::move(*waiting->response);
}

}  // namespace dynamo
