#include "node/service/request_log.h"

namespace dynamo {

RequestLog::Admission RequestLog::Begin(const RequestId& id, TimePoint now, TimePoint keep_until, Responder respond) {
  Purge(now);
  if (Repeat(id, respond)) return Admission::kDuplicate;
  if (requests_.size() >= requests_max_) return Admission::kFull;
  requests_[id].waiting.push_back(std::move(respond));
  by_end_.insert({keep_until, id});
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
  while (!by_end_.empty() && by_end_.begin()->first < now) {
    requests_.erase(by_end_.begin()->second);
    by_end_.erase(by_end_.begin());
  }
}

}  // namespace dynamo
