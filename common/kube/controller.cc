#include "common/kube/controller.h"

#include <algorithm>
#include <utility>

namespace dynamo::kube {
namespace {

constexpr Duration kSyncPoll = std::chrono::milliseconds(50);

}  // namespace

Controller::Controller(Reconciler* reconciler, WorkQueue* queue, Logger log, Metrics* metrics, Options options)
    : reconciler_(reconciler), queue_(queue), log_(std::move(log)), metrics_(metrics), options_(std::move(options)) {}

void Controller::Start() {
  for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { Work(); });
}

void Controller::Stop() {
  queue_->Stop();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void Controller::Work() {
  while (const auto key = queue_->Get()) {
    const ReconcileResult result = reconciler_->Reconcile(*key);
    const char* label = result.failed ? "error" : result.requeue_after ? "requeue_after" : "success";
    metrics_
        ->counter("controller_runtime_reconcile_total", "Passes over an object, by their outcome.",
                  {{"controller", options_.name}, {"result", label}})
        .Add();
    if (result.failed) {
      queue_->AddRateLimited(*key);
    } else {
      queue_->Forget(*key);
      if (result.requeue_after) queue_->AddAfter(*key, *result.requeue_after);
    }
    queue_->Done(*key);
  }
}

Manager::Manager(std::vector<Informer*> informers, std::vector<Controller*> controllers, LeaderElector* elector,
                 Clock* clock, Logger log)
    : informers_(std::move(informers)),
      controllers_(std::move(controllers)),
      elector_(elector),
      log_(std::move(log)),
      stop_(clock) {}

Manager::End Manager::Run() {
  for (Informer* informer : informers_) informer->Start();
  bool stopped = false;
  while (!synced() && !stopped) stopped = stop_.WaitFor(kSyncPoll);
  End end = End::kStopped;
  if (!stopped && elector_ != nullptr) stopped = !elector_->Acquire(stop_);
  if (!stopped) {
    log_.Info("manager_started controllers={}", controllers_.size());
    for (Controller* controller : controllers_) controller->Start();
    if (elector_ == nullptr) {
      while (!stop_.WaitFor(std::chrono::hours(1))) {
      }
    } else if (!elector_->Hold(stop_)) {
      end = End::kLeadershipLost;
      // What is in work must not go on beside the next leader: leave at once.
      return end;
    }
  }
  for (Controller* controller : controllers_) controller->Stop();
  for (Informer* informer : informers_) informer->Stop();
  if (elector_ != nullptr) elector_->Release();
  return end;
}

void Manager::Stop() { stop_.Set(); }

bool Manager::synced() const {
  return std::ranges::all_of(informers_, [](const Informer* informer) { return informer->store().synced(); });
}

}  // namespace dynamo::kube
