#include "node/service/request_log.h"

#include <algorithm>

namespace dynamo {

RequestLog::Admission RequestLog::Begin(const RequestId& id, TimePoint now, TimePoint keep_until, Responder respond) {
  Purge(now);
  if (Repeat(id, respond)) return Admission::kDuplicate;
  if (requests_.size() >= requests_max_) return Admission::kFull;
  Entry& entry = requests_[id];
  entry.keep_until = keep_until;
  entry.waiting.push_back(std::move(respond));
  by_end_.insert({awake_ + (keep_until - now) + kStretchMax, id});
  return Admission::kNew;
}

bool RequestLog::Repeat(const RequestId& id, const Responder& respond) {
  const auto known = requests_.find(id);
  if (known == requests_.end()) return false;
  Entry& entry = known->second;
  if (entry.answer != nullptr) {
    respond(entry.answer);
  } else if (entry.waiting.size() < kWaitingMax && !entry.waiting.empty()) {
    entry.waiting.push_back(respond);
  }
  return true;
}

void RequestLog::Finish(const RequestId& id, SharedBytes answer) {
  const auto known = requests_.find(id);
  if (known == requests_.end()) return;
  const std::vector<Responder> waiting = std::exchange(known->second.waiting, {});
  if (answer->size() <= kAnswerBytesMax) known->second.answer = answer;
  for (const Responder& respond : waiting) respond(answer);
}

void RequestLog::Purge(TimePoint now) {
  awake_ += std::min(now - last_, kStretchMax);
  last_ = now;
  while (!by_end_.empty() && by_end_.begin()->first < awake_) ForgetFirst();
  // Whoever is new does not wait for what is only kept to be sure.
  while (!by_end_.empty() && requests_.size() >= requests_max_ && requests_[by_end_.begin()->second].keep_until < now)
    ForgetFirst();
}

void RequestLog::ForgetFirst() {
  requests_.erase(by_end_.begin()->second);
  by_end_.erase(by_end_.begin());
}

}  // namespace dynamo
