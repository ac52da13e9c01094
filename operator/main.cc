// dynamo-operator: makes DynamoClusters what they ask to be, until SIGTERM or SIGINT.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <thread>

#include "common/base/stop_signals.h"
#include "common/kube/clock.h"
#include "operator/cluster/render_list.h"
#include "operator/controller/run_operator.h"
#include "operator/controller/status_server.h"

namespace {

using namespace dynamo;

constexpr int kExitRefused = 2;

const std::map<std::string, LogLevel> kOperatorLogLevels = {
    {"debug", LogLevel::kDebug}, {"info", LogLevel::kInfo}, {"warn", LogLevel::kWarn}, {"error", LogLevel::kError}};

const char* LevelName(LogLevel level) {
  for (const auto& [name, value] : kOperatorLogLevels) {
    if (value == level) return name.c_str();
  }
  return "error";
}

// One line to stderr, whatever bytes a server put into a message.
void WriteLine(LogLevel level, std::string_view line) {
  std::string text =
      fmt::format("time={} level={} event=", kube::MicroTime(kube::SystemClock().Wall()), LevelName(level));
  for (const char c : line) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

// A service leads nowhere for a moment after its pod is ready.
Status CheckPatiently(const std::string& url) {
  kube::SystemClock clock;
  Status well = op::CheckPages(url);
  for (int i = 0; i < 20 && !well; ++i) {
    clock.Sleep(std::chrono::seconds(1));
    well = op::CheckPages(url);
  }
  return well;
}

void AddOptions(CLI::App& app, op::RunOptions& options, LogLevel& level, std::string& check, bool& render) {
  app.add_flag("--render", render,
               "Reads a DynamoCluster as JSON from standard input and prints the objects it is made of.");
  app.add_option("--check", check,
                 "Asks the operator at this URL for its pages, for 20 seconds at most, and ends: 0 if all is well.");
  app.set_version_flag("--version", DYNAMO_VERSION);
  app.add_option("--kubeconfig", options.kubeconfig,
                 "Kubeconfig file; without it the pod's service account, $KUBECONFIG or ~/.kube/config.");
  app.add_option("--namespace", options.watch_namespace,
                 "Namespace whose DynamoClusters are looked after; all if not given.")
      ->envname("DYNAMO_OPERATOR_NAMESPACE");
  app.add_option("--listen-address", options.listen_address, "IP address of /healthz, /readyz and /metrics.")
      ->capture_default_str();
  app.add_option("--port", options.port, "Port of the same.")->capture_default_str()->check(CLI::Range(1, 65535));
  app.add_option("--workers", options.workers, "Clusters that are looked after at the same time.")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--leader-elect", options.leader_election, "Of several copies one works (by a Lease).")
      ->capture_default_str();
  app.add_option("--lease-namespace", options.lease_namespace, "Namespace of the Lease; the pod's own if not given.");
  app.add_option("--identity", options.identity, "Of this copy in the Lease; drawn if not given.")->envname("POD_NAME");
  app.add_option("--image", options.cluster.default_image,
                 "Node image of clusters that name none, without its tag: that is spec.version.")
      ->envname("DYNAMO_NODE_IMAGE")
      ->capture_default_str();
  app.add_option("--log-level", level, "debug, info, warn or error.")
      ->transform(CLI::CheckedTransformer(kOperatorLogLevels));
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t stop_signals = HoldStopSignals();
  CLI::App app("The operator of Dynamo clusters on Kubernetes.", "dynamo-operator");
  op::RunOptions options;
  LogLevel level = LogLevel::kInfo;
  std::string check;
  bool render = false;
  AddOptions(app, options, level, check, render);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kExitRefused;
  }
  if (render) {
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    const auto list = op::RenderList(input, options.cluster.default_image);
    std::fputs(list ? list->c_str() : ("dynamo-operator: " + list.error().message + "\n").c_str(),
               list ? stdout : stderr);
    return list ? 0 : kExitRefused;
  }
  if (!check.empty()) {
    const Status well = CheckPatiently(check);
    std::printf("%s\n", well ? "ok" : well.error().message.c_str());
    return well ? 0 : 1;
  }
  const Logger log(level, WriteLine);
  const auto end = op::RunOperator(options, log, [&](std::function<void()> stop) {
    std::thread([stop = std::move(stop), stop_signals] {
      int signal = 0;
      sigwait(&stop_signals, &signal);
      stop();
    }).detach();
  });
  if (end) return 0;
  std::fprintf(stderr, "dynamo-operator: %s\n", end.error().message.c_str());
  return kExitRefused;
}
