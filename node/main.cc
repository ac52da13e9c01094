// dynamo-node: one node of a cluster, until SIGTERM or SIGINT.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/stop_signals.h"
#include "node/adapter/stderr_log.h"
#include "node/config.h"
#include "node/node.h"

namespace {

using namespace dynamo;

constexpr int kExitRefused = 2;  // Could not start; nothing was changed.

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  char chunk[4096];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) text.append(chunk, static_cast<size_t>(in.gcount()));
  if (!in.is_open() || in.bad()) return Fail(Errc::kNotFound, "cannot read the settings file " + path);
  return text;
}

std::optional<std::string> Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int Refuse(const Error& error) {
  std::fprintf(stderr, "dynamo-node: %s\n", error.message.c_str());
  return kExitRefused;
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t stop = HoldStopSignals();
  auto loaded = LoadConfig({{argv + 1, argv + argc}, Environment, ReadFile});
  if (!loaded) return Refuse(loaded.error());
  if (!loaded->print.empty()) {
    std::fputs(loaded->print.c_str(), stdout);
    return 0;
  }
  const Logger log = MakeStderrLog(loaded->config.log_level);
  auto node = Node::Start(std::move(loaded->config), log);
  if (!node) return Refuse(node.error());

  int signal = 0;
  sigwait(&stop, &signal);
  log.Info("node_stopping signal={}", signal);
  // A second signal ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  (*node)->Drain();
  node->reset();
  return 0;
}
