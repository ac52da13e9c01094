// The process's log: one line an event, key=value, on standard error.
#ifndef DYNAMO_NODE_ADAPTER_STDERR_LOG_H_
#define DYNAMO_NODE_ADAPTER_STDERR_LOG_H_

#include <string>
#include <string_view>

#include "common/base/log.h"

namespace dynamo {

// time=2026-01-31T12:00:00.000Z level=info event=member_up id=... ; from any thread.
Logger MakeStderrLog(LogLevel least);

// Control characters as \xNN, so that what comes from outside cannot forge a line.
std::string OneLine(std::string_view text);

}  // namespace dynamo

#endif  // DYNAMO_NODE_ADAPTER_STDERR_LOG_H_
