// One listening socket; accepted connections go to the shards in turn.
#ifndef DYNAMO_NODE_API_LISTENER_H_
#define DYNAMO_NODE_API_LISTENER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "node/env/async.h"

namespace dynamo {

class Listener {
 public:
  // Takes over a descriptor, on any thread: hands it to a shard's ConnectionSet.
  using Deliver = std::function<void(int descriptor, bool ipv6)>;

  // Binds and listens at a numeric address; port 0 picks a free one.
  // kUnavailable: names the address, and what to do when the port is taken.
  static Result<std::unique_ptr<Listener>> Open(Executor executor, const std::string& address, uint16_t port);
  ~Listener();

  uint16_t port() const;
  void Start(Deliver deliver);
  // Whoever is connected by then is delivered: none is reset who could take it for served.
  void Stop();

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_LISTENER_H_
