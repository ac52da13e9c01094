#include "tests/cluster/node_process.h"

#include <fcntl.h>
#include <sched.h>
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

// For execve; the last is null.
std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

NodeProcess::NodeProcess(NodeSettings settings) : settings_(std::move(settings)) {
  std::filesystem::create_directories(settings_.folder);
}

NodeProcess::NodeProcess(std::string folder, std::string address, std::vector<std::string> arguments)
    : NodeProcess(NodeSettings{
          .folder = std::move(folder), .address = std::move(address), .arguments = std::move(arguments)}) {}

NodeProcess::~NodeProcess() { Kill(); }

void NodeProcess::Start() {
  DYNAMO_CHECK(!running());
  std::vector<std::string> command{settings_.binary, "--data-dir", data_folder(), "--listen-address", address(),
                                   "--shards",       "2",          "--name",      "node-" + address()};
  command.insert(command.end(), settings_.arguments.begin(), settings_.arguments.end());
  std::vector<char*> argv = Pointers(command);
  std::vector<std::string> environment = settings_.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  std::vector<char*> envp = Pointers(environment);
  const std::string log = settings_.folder + "/log";
  const std::string network = "/run/netns/" + settings_.network_namespace;
  pid_ = ::fork();
  DYNAMO_CHECK(pid_ >= 0);
  if (pid_ > 0) return;
  // A test that is killed takes its nodes along.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (!settings_.network_namespace.empty()) {
    const int place = ::open(network.c_str(), O_RDONLY | O_CLOEXEC);
    if (::setns(place, CLONE_NEWNET) != 0) ::_exit(126);
  }
  ::execve(argv[0], argv.data(), envp.data());
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
    if (const auto code = TakeEnd()) return *code;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return -1000;
}

std::optional<int> NodeProcess::TakeEnd() {
  int status = 0;
  if (!running() || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return ExitCode(status);
}

std::string NodeProcess::Log() const {
  std::ifstream file(settings_.folder + "/log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace dynamo::cluster
