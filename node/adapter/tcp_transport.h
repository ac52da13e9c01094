// The Transport port over TCP: to each peer one multiplexed, pipelined connection,
// made when there is something to say; from each peer the connections it makes.
//
// A connection carries requests one way and their answers back. All frames of one
// wake-up leave in one write, at Flush.
#ifndef DYNAMO_NODE_ADAPTER_TCP_TRANSPORT_H_
#define DYNAMO_NODE_ADAPTER_TCP_TRANSPORT_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "node/adapter/tcp_channel.h"
#include "node/env/transport.h"

namespace dynamo {

struct TcpTransportOptions {
  TcpChannelOptions channel;
  Duration idle_close{60'000'000};     // Connections to peers without a call for this long.
  Duration magic_timeout{5'000'000};   // For a client to say that it is a peer.
  uint32_t connections_in_max = 4096;  // Further ones are closed at once.
};

// One a shard, on its thread. `clock` and `metrics` outlive it.
class TcpTransport : public Transport {
 public:
  TcpTransport(Executor executor, Clock* clock, Metrics* metrics, Logger log, TcpTransportOptions options = {});
  ~TcpTransport() override;

  void SetHandler(PeerHandler* handler) override { handler_ = handler; }
  void SetSelf(NodeId self) override { self_ = self; }
  void SetCluster(ClusterId cluster) override;
  void SetAddress(NodeId node, std::string address) override;
  void Call(NodeId to, SharedBytes body, TimePoint deadline, ReplyCallback reply) override;
  void CallAddress(std::string address, SharedBytes body, TimePoint deadline, ReplyCallback reply) override;

  // Takes over a connection that a peer made (its descriptor). Until the handler and
  // self are set, its requests are refused.
  void Adopt(int descriptor, bool ipv6);

  // At the end of every wake-up.
  void Flush();

  // Refuses requests from now on, so that peers ask others; calls `done`, once and on any
  // shard's thread, when those that are under way have been answered. Calls go on.
  void Drain(std::function<void()> done);

  // Closes everything; nothing is called after it. Calls go unanswered.
  void Stop();

 private:
  struct Incoming;
  // Held by every request under way, and until Drain by this.
  struct Underway {
    std::function<void()> done;
    ~Underway() {
      if (done) done();
    }
  };
  using ChannelPtr = std::shared_ptr<TcpChannel>;

  ChannelPtr ChannelTo(const std::string& address);
  FrameHeader RequestHeader(NodeId to) const;
  void OnUnreachable(const TcpChannel& channel, const Error& error);
  Counter& AcceptedTotal(uint8_t version);
  void OnFrame(const std::shared_ptr<Incoming>& from, const ParsedFrame& frame);
  void Serve(const std::shared_ptr<Incoming>& from, const ParsedFrame& frame);
  // Why the request is refused; empty: it is not.
  std::string Refusal(const FrameHeader& request) const;
  void Forget(const std::shared_ptr<Incoming>& incoming);
  void Sweep();

  Executor executor_;
  Clock* clock_;
  Metrics* metrics_;
  Logger log_;
  TcpTransportOptions options_;
  PeerHandler* handler_ = nullptr;
  NodeId self_;
  uint64_t cluster_tag_ = 0;
  std::map<std::string, ChannelPtr> channels_;  // By address.
  std::map<NodeId, ChannelPtr> nodes_;
  std::set<std::shared_ptr<Incoming>> incoming_;
  CorkedConnections corked_;
  TimerId sweep_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);         // For callbacks that outlive this.
  std::shared_ptr<Underway> underway_ = std::make_shared<Underway>();  // nullptr: draining.
  bool stopped_ = false;

  Counter& calls_total_;
  Counter& requests_total_;
  Counter& other_cluster_total_;
  Counter& refused_total_;
  Counter& malformed_total_;
  Counter& broken_total_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_TCP_TRANSPORT_H_
