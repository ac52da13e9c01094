// The operator's own pages: /healthz, /readyz, /metrics.
#ifndef DYNAMO_OPERATOR_CONTROLLER_STATUS_SERVER_H_
#define DYNAMO_OPERATOR_CONTROLLER_STATUS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "common/base/metrics.h"
#include "common/base/result.h"

namespace dynamo::op {

class StatusServer {
 public:
  // `ready`: the operator has its first lists; asked by many threads. Port 0: any.
  static Result<std::unique_ptr<StatusServer>> Start(const std::string& address, int port, const Metrics* metrics,
                                                     std::function<bool()> ready);
  ~StatusServer();

  int port() const;

 private:
  struct State;
  explicit StatusServer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Asks the operator at `url` for its pages, as helm test does. kUnavailable: says which one fails.
Status CheckPages(const std::string& url);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CONTROLLER_STATUS_SERVER_H_
