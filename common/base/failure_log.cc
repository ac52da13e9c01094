#include "common/base/failure_log.h"

#include <utility>

namespace dynamo {

void FailureLog::Failed(const Logger& log, TimePoint now, std::string_view details) {
  ++failures_;
  if (logged_at_ && now - *logged_at_ < kEvery) {
    ++left_out_;
    return;
  }
  logged_at_ = now;
  said_ = true;
  const std::string line = left_out_ == 0 ? fmt::format("{} {}", event_, details)
                                          : fmt::format("{} {} left_out={}", event_, details, left_out_);
  left_out_ = 0;
  if (level_ == LogLevel::kError) {
    log.Error("{}", line);
  } else {
    log.Warn("{}", line);
  }
}

void FailureLog::Worked(const Logger& log) {
  if (!said_) return;
  log.Info("{}_over failures={}", event_, failures_);
  said_ = false;
  failures_ = 0;
  left_out_ = 0;
}

}  // namespace dynamo
