#include "tests/cluster/node_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "common/base/check.h"

namespace dynamo::cluster {
namespace {

int ExitCode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

}  // namespace

NodeProcess::NodeProcess(std::string folder, std::string address, std::vector<std::string> arguments)
    : folder_(std::move(folder)), address_(std::move(address)), arguments_(std::move(arguments)) {
  std::filesystem::create_directories(folder_);
}

NodeProcess::~NodeProcess() { Kill(); }

void NodeProcess::Start() {
  DYNAMO_CHECK(!running());
  std::vector<std::string> command{DYNAMO_NODE_BINARY, "--data-dir", data_folder(), "--listen-address", address_,
                                   "--shards",         "2",          "--name",      "node-" + address_};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string log = folder_ + "/log";
  pid_ = ::fork();
  DYNAMO_CHECK(pid_ >= 0);
  if (pid_ > 0) return;
  // A test that is killed takes its nodes along.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

void NodeProcess::Kill() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

int NodeProcess::Terminate() {
  ::kill(pid_, SIGTERM);
  return AwaitEnd(30);
}

int NodeProcess::AwaitEnd(int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < deadline) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      return ExitCode(status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return -1000;
}

std::string NodeProcess::Log() const {
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace dynamo::cluster
