#include "node/adapter/shard_loop.h"

#include <pthread.h>
#include <signal.h>

#include "common/base/check.h"

namespace dynamo {
namespace {

// Signals are the main thread's business.
void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

ShardLoop::ShardLoop() : work_(io_.get_executor()) {}

ShardLoop::~ShardLoop() { Stop(); }

void ShardLoop::Start(const std::string& name) {
  DYNAMO_CHECK(!thread_.joinable());
  thread_ = std::thread([this] {
    BlockSignals();
    Run();
  });
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void ShardLoop::Stop() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
  io_.restart();
}

void ShardLoop::Drain() {
  DYNAMO_CHECK(!thread_.joinable());
  do {
    RunHooks();
  } while (RunReady() > 0);
}

void ShardLoop::Run() {
  RunHooks();
  while (io_.run_one() > 0) {
    RunReady();
    RunHooks();
  }
}

int ShardLoop::RunReady() {
  int handled = 0;
  while (handled < kHandlersMax && io_.poll_one() > 0) ++handled;
  return handled;
}

void ShardLoop::RunHooks() {
  for (const auto& hook : hooks_) hook();
}

}  // namespace dynamo
