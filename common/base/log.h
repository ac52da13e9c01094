// Log lines: a level, an event, key=value pairs. The sink is given, never global.
#ifndef DYNAMO_COMMON_BASE_LOG_H_
#define DYNAMO_COMMON_BASE_LOG_H_

#include <fmt/format.h>

#include <functional>
#include <string_view>
#include <utility>

namespace dynamo {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Copies share the sink. Safe to call from any thread if the sink is.
class Logger {
 public:
  using Sink = std::function<void(LogLevel, std::string_view line)>;

  // Without a sink every line is dropped.
  Logger() = default;
  Logger(LogLevel least, Sink sink) : least_(least), sink_(std::move(sink)) {}

  bool enabled(LogLevel level) const { return sink_ && level >= least_; }

  // log.Info("member_up id={} addr={}", ToString(id), address);
  template <class... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Warn(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kWarn, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Error(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kError, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void Write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(level)) sink_(level, fmt::format(format, std::forward<Args>(args)...));
  }

  LogLevel least_ = LogLevel::kInfo;
  Sink sink_;
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_LOG_H_
