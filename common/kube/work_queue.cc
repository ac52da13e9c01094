#include "common/kube/work_queue.h"

#include <algorithm>
#include <utility>

namespace dynamo::kube {

WorkQueue::WorkQueue(Clock* clock, Metrics* metrics, Options options) : clock_(clock), options_(std::move(options)) {
  if (metrics == nullptr) return;
  const Labels labels = {{"name", options_.name}};
  depth_ = &metrics->gauge("workqueue_depth", "Keys that wait for work.", labels);
  adds_ = &metrics->counter("workqueue_adds_total", "Keys that were added.", labels);
  retries_ = &metrics->counter("workqueue_retries_total", "Keys that were added after a failure.", labels);
}

void WorkQueue::Add(const std::string& key) { AddAfter(key, Duration(0)); }

void WorkQueue::AddAfter(const std::string& key, Duration delay) {
  const std::lock_guard lock(mutex_);
  if (adds_ != nullptr) adds_->Add();
  Schedule(key, clock_->Now() + delay);
}

void WorkQueue::AddRateLimited(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const int failures = failures_[key]++;
  const Duration delay = options_.backoff_min * (int64_t{1} << std::min(failures, 30));
  if (retries_ != nullptr) retries_->Add();
  Schedule(key, clock_->Now() + std::min(delay, options_.backoff_max));
}

void WorkQueue::Schedule(const std::string& key, TimePoint at) {
  if (stopped_) return;
  const auto [entry, fresh] = due_.try_emplace(key, at);
  if (!fresh) entry->second = std::min(entry->second, at);
  Report();
  wake_.notify_all();
}

void WorkQueue::Forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

std::optional<std::string> WorkQueue::Get() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    TimePoint earliest = clock_->Now() + std::chrono::hours(1);
    auto first = due_.end();
    for (auto entry = due_.begin(); entry != due_.end(); ++entry) {
      if (in_work_.contains(entry->first) || entry->second >= earliest) continue;
      first = entry;
      earliest = entry->second;
    }
    if (first != due_.end() && first->second <= clock_->Now()) {
      std::string key = first->first;
      due_.erase(first);
      in_work_.insert(key);
      Report();
      return key;
    }
    clock_->WaitUntil(lock, wake_, earliest);
  }
  return std::nullopt;
}

void WorkQueue::Done(const std::string& key) {
  const std::lock_guard lock(mutex_);
  in_work_.erase(key);
  wake_.notify_all();
}

void WorkQueue::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  wake_.notify_all();
}

size_t WorkQueue::size() const {
  const std::lock_guard lock(mutex_);
  return due_.size();
}

void WorkQueue::Report() {
  if (depth_ != nullptr) depth_->Set(static_cast<int64_t>(due_.size()));
}

}  // namespace dynamo::kube
