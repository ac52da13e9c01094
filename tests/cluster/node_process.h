// One dynamo-node as a process of this test's own.
#ifndef DYNAMO_TESTS_CLUSTER_NODE_PROCESS_H_
#define DYNAMO_TESTS_CLUSTER_NODE_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dynamo::cluster {

struct NodeSettings {
  std::string folder;   // Holds the data folder and the log.
  std::string address;  // Listened at, standard ports.
  std::vector<std::string> arguments = {};
  std::string binary = DYNAMO_NODE_BINARY;
  std::string network_namespace = {};         // As `ip netns` names it; empty: the test's own.
  std::vector<std::string> environment = {};  // NAME=VALUE, beside the test's own.
};

class NodeProcess {
 public:
  explicit NodeProcess(NodeSettings settings);
  NodeProcess(std::string folder, std::string address, std::vector<std::string> arguments);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  void Start();
  // From the next start on.
  void set_binary(std::string binary) { settings_.binary = std::move(binary); }
  void set_arguments(std::vector<std::string> arguments) { settings_.arguments = std::move(arguments); }
  const std::vector<std::string>& arguments() const { return settings_.arguments; }
  // SIGKILL, and waits for its end.
  void Kill();
  // SIGTERM; the exit code, or minus the signal that ended it.
  int Terminate();
  // The exit code, once it has ended by itself within `seconds`; -1000 if not.
  int AwaitEnd(int seconds);
  // The exit code if it has ended by itself since the last call; it is not running then.
  std::optional<int> TakeEnd();

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  const std::string& address() const { return settings_.address; }
  std::string data_folder() const { return settings_.folder + "/data"; }
  std::string http() const { return address() + ":8098"; }
  std::string admin() const { return address() + ":8091"; }
  std::string peer() const { return address() + ":8099"; }
  std::string Log() const;

 private:
  NodeSettings settings_;
  pid_t pid_ = 0;
};

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_NODE_PROCESS_H_
