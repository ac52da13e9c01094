// Messages between nodes as a port: one instance for each shard of a node.
#ifndef DYNAMO_NODE_ENV_TRANSPORT_H_
#define DYNAMO_NODE_ENV_TRANSPORT_H_

#include <functional>
#include <memory>
#include <string>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace dynamo {

// An encoded message body (protocol/messages.h), made once and shared by all the
// nodes it goes to.
using SharedBytes = std::shared_ptr<const Bytes>;

// Called once, or never if the shard is killed first. Errors:
//  kUnavailable  it was surely not processed: unknown address, refused, not sent,
//                or the node there is another one;
//  kTimeout      no answer by the deadline, or the connection broke after the
//                request had left: it may have been processed.
using ReplyCallback = std::function<void(Result<Bytes>)>;

// Answers an incoming request: at most once, at any later time, on the shard that
// it came to. Dropping it unanswered lets the caller's deadline pass.
using Responder = std::function<void(SharedBytes)>;

struct PeerRequest {
  NodeId from;
  TimePoint deadline;  // On this node's clock.
  Bytes body;
};

class PeerHandler {
 public:
  virtual ~PeerHandler() = default;
  // On the shard's thread, in the order that the peer sent them.
  virtual void OnPeerRequest(PeerRequest request, Responder respond) = 0;
  // The connection to the peer broke, or could not be made: a sign for the
  // failure detector.
  virtual void OnPeerUnreachable(NodeId peer) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Set before the first message, outlives the transport.
  virtual void SetHandler(PeerHandler* handler) = 0;

  // This node's id, sent with every message. Set before the first message.
  virtual void SetSelf(NodeId self) = 0;

  // Which cluster this node is of; none until it has been created. Messages from
  // another cluster are dropped and counted.
  virtual void SetCluster(ClusterId cluster) = 0;

  // Where a node listens, "host:port"; replaces what was known.
  virtual void SetAddress(NodeId node, std::string address) = 0;

  // To a node other than this one. `reply` is never called within this call.
  virtual void Call(NodeId to, SharedBytes body, TimePoint deadline, ReplyCallback reply) = 0;

  // To whoever listens at an address, of whatever cluster or none: for seeds and
  // for creating a cluster.
  virtual void CallAddress(std::string address, SharedBytes body, TimePoint deadline, ReplyCallback reply) = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_TRANSPORT_H_
