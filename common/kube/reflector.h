// Keeps a Store like the server's collection: list, watch, and again.
#ifndef DYNAMO_COMMON_KUBE_REFLECTOR_H_
#define DYNAMO_COMMON_KUBE_REFLECTOR_H_

#include <string>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/kube/store.h"
#include "common/kube/watch_stream.h"

namespace dynamo::kube {

class Reflector {
 public:
  struct Options {
    Resource resource;
    std::string namespace_;  // Empty: all.
    ListOptions list;
    Duration watch_min = std::chrono::minutes(5), watch_max = std::chrono::minutes(10);
    Duration backoff_min = std::chrono::milliseconds(800), backoff_max = std::chrono::seconds(30);
    uint64_t seed = 1;  // Of the jitter.
  };

  Reflector(RestClient* client, Store* store, Logger log, Options options);

  // Blocks until Stop.
  void Run();
  void Stop();

 private:
  bool List();
  // What may be resumed from version_; false: list again.
  bool Watch();
  void BackOff();

  RestClient* const client_;
  Store* const store_;
  const Logger log_;
  const Options options_;
  Rng rng_;
  StopFlag stop_;
  WatchStream stream_;
  std::string version_;
  Duration backoff_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_REFLECTOR_H_
