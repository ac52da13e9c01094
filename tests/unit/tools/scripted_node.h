// dynamoctl against a node that a test scripts.
#ifndef DYNAMO_TESTS_UNIT_TOOLS_SCRIPTED_NODE_H_
#define DYNAMO_TESTS_UNIT_TOOLS_SCRIPTED_NODE_H_

#include <httplib.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tools/dynamoctl/commands.h"

namespace dynamo::ctl {

// A node that answers what the test scripts, on loopback.
class ScriptedNode {
 public:
  ScriptedNode() {
    port_ = server.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }
  ~ScriptedNode() {
    server.stop();
    thread_.join();
  }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

  httplib::Server server;

 private:
  int port_ = 0;
  std::thread thread_;
};

struct Outcome {
  int code = 0;
  std::string out, err;
};

inline Outcome Ctl(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = Run(arguments, in, out, err);
  return {code, out.str(), err.str()};
}

}  // namespace dynamo::ctl

#endif  // DYNAMO_TESTS_UNIT_TOOLS_SCRIPTED_NODE_H_
