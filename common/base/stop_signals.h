// How a program learns that it shall stop.
#ifndef DYNAMO_COMMON_BASE_STOP_SIGNALS_H_
#define DYNAMO_COMMON_BASE_STOP_SIGNALS_H_

#include <signal.h>

namespace dynamo {

// Holds SIGTERM and SIGINT back, for sigwait. Before any thread is started, so that all
// inherit it. Ignores SIGPIPE: a peer that hangs up must not end the process.
sigset_t HoldStopSignals();

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_STOP_SIGNALS_H_
