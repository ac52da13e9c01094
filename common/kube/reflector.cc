#include "common/kube/reflector.h"

#include <algorithm>
#include <utility>

namespace dynamo::kube {

Reflector::Reflector(RestClient* client, Store* store, Logger log, Options options)
    : client_(client),
      store_(store),
      log_(std::move(log)),
      options_(std::move(options)),
      rng_(options_.seed),
      stop_(client->clock()),
      // At random, so that a fleet's watches do not all end at once.
      stream_(client, {Duration(rng_.Between(options_.watch_min.count(), options_.watch_max.count()))}),
      backoff_(options_.backoff_min) {}

void Reflector::Run() {
  while (!stop_.is_set()) {
    if (!List()) {
      BackOff();
      continue;
    }
    while (!stop_.is_set() && Watch()) {
    }
  }
}

void Reflector::Stop() {
  stop_.Set();
  stream_.Stop();
}

bool Reflector::List() {
  auto list = client_->List(options_.resource, options_.namespace_, options_.list);
  if (!list) {
    log_.Warn("list_failed resource={} error=\"{}\"", options_.resource.plural, ToString(list.error()));
    return false;
  }
  version_ = list->resource_version;
  store_->Replace(std::move(list->items));
  return true;
}

bool Reflector::Watch() {
  const auto end =
      stream_.Run(options_.resource, options_.namespace_, options_.list, version_, [this](WatchEvent event) {
        version_ = ResourceVersionOf(event.object);
        backoff_ = options_.backoff_min;
        store_->Take(std::move(event));
      });
  if (end || stop_.is_set()) return true;
  log_.Info("watch_ended resource={} error=\"{}\"", options_.resource.plural, ToString(end.error()));
  // What never was there cannot be resumed, nor what the server has forgotten.
  if (end.error().kind == ApiError::Kind::kGone) return false;
  BackOff();
  return end.error().kind == ApiError::Kind::kUnknown;
}

void Reflector::BackOff() {
  const auto jitter = static_cast<Duration::rep>(rng_.Fraction() * static_cast<double>(backoff_.count()));
  backoff_ = std::min(backoff_ * 2, options_.backoff_max);
  stop_.WaitFor(backoff_ / 2 + Duration(jitter / 2));
}

}  // namespace dynamo::kube
