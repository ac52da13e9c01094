// A Reflector with a thread of its own, and the Store it fills.
#ifndef DYNAMO_COMMON_KUBE_INFORMER_H_
#define DYNAMO_COMMON_KUBE_INFORMER_H_

#include <thread>
#include <utility>

#include "common/kube/reflector.h"
#include "common/kube/store.h"

namespace dynamo::kube {

class Informer {
 public:
  Informer(RestClient* client, Logger log, Reflector::Options options, Store::OnChange on_change)
      : store_(std::move(on_change)), reflector_(client, &store_, std::move(log), std::move(options)) {}
  ~Informer() { Stop(); }
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  void Start() {
    thread_ = std::thread([this] { reflector_.Run(); });
  }
  void Stop() {
    reflector_.Stop();
    if (thread_.joinable()) thread_.join();
  }
  const Store& store() const { return store_; }

 private:
  Store store_;
  Reflector reflector_;
  std::thread thread_;
};

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_INFORMER_H_
