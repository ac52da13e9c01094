// One dynamo-node as a process of this test's own.
#ifndef DYNAMO_TESTS_CLUSTER_NODE_PROCESS_H_
#define DYNAMO_TESTS_CLUSTER_NODE_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace dynamo::cluster {

class NodeProcess {
 public:
  // Keeps its data and its log under `folder`; listens at `address`, standard ports.
  NodeProcess(std::string folder, std::string address, std::vector<std::string> arguments);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  void Start();
  // SIGKILL, and waits for its end.
  void Kill();
  // SIGTERM; the exit code, or minus the signal that ended it.
  int Terminate();
  // The exit code, once it has ended by itself within `seconds`; -1000 if not.
  int AwaitEnd(int seconds);

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  const std::string& address() const { return address_; }
  std::string data_folder() const { return folder_ + "/data"; }
  std::string http() const { return address_ + ":8098"; }
  std::string admin() const { return address_ + ":8091"; }
  std::string peer() const { return address_ + ":8099"; }
  std::string Log() const;

 private:
  std::string folder_, address_;
  std::vector<std::string> arguments_;
  pid_t pid_ = 0;
};

}  // namespace dynamo::cluster

#endif  // DYNAMO_TESTS_CLUSTER_NODE_PROCESS_H_
