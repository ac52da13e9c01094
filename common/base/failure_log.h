// Keeps something that goes wrong again and again from flooding the log.
#ifndef DYNAMO_COMMON_BASE_FAILURE_LOG_H_
#define DYNAMO_COMMON_BASE_FAILURE_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/log.h"
#include "common/base/time.h"

namespace dynamo {

// Writes the first failure, then at most one a minute with the count of those left out
// since, and one line when it works again. What fails by turns gets a line of each kind
// a minute. Not thread-safe: one for each place that fails, of one shard.
class FailureLog {
 public:
  static constexpr Duration kEvery{60'000'000};

  // `event` names the failure; when it is over, "<event>_over" is logged.
  FailureLog(LogLevel level, std::string event) : level_(level), event_(std::move(event)) {}

  // `details` as key=value.
  void Failed(const Logger& log, TimePoint now, std::string_view details);
  void Worked(const Logger& log);

 private:
  LogLevel level_;
  std::string event_;
  std::optional<TimePoint> logged_at_;
  uint64_t failures_ = 0;  // Since it last worked, as far as the log knows.
  uint64_t left_out_ = 0;  // Since the last line.
  bool said_ = false;      // The log says that it fails.
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_FAILURE_LOG_H_
