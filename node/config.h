// How one node is set up. Each setting has one name, in four places: the flag
// --data-dir, the environment's DYNAMO_DATA_DIR, the YAML file's data-dir, and the
// table in config_settings.cc that all of them, and --help, are made from.
#ifndef DYNAMO_NODE_CONFIG_H_
#define DYNAMO_NODE_CONFIG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/tls/keeper.h"
#include "node/service/node_service.h"

namespace dynamo {

struct TlsConfig {
  TlsMode mode = TlsMode::kOff;
  std::string folder;  // Of tls.crt, tls.key and ca.crt.
};

struct NodeConfig {
  std::string data_dir;
  std::string name;  // Empty in the table: dynamo@<advertise address>.
  std::string zone;
  uint32_t capacity = 1;

  std::string listen_address = "127.0.0.1";
  std::string advertise_address;  // Empty in the table: the listen address.
  uint16_t http_port = 8098;
  uint16_t pb_port = 8087;
  uint16_t peer_port = 8099;
  uint16_t admin_port = 8091;

  TlsConfig tls_client, tls_peer, tls_admin;
  Duration tls_reload_interval{10'000'000};
  std::string admin_token_file;       // Empty: none.
  std::string auth_users_file;        // Empty: whoever comes may read and write.
  bool auth_allow_plaintext = false;  // Passwords, where there is no TLS.

  std::vector<std::string> seeds;  // host:port of peers.
  std::string seeds_dns;           // host:port; every address the name has is a seed.

  std::string seeds_kubernetes;  // [NAMESPACE/]SERVICE; every pod behind it is a seed.

  uint32_t shards = 0;                 // 0: see UsableCores, less one, at least one.
  uint64_t memory_budget_bytes = 0;    // 0: the container's limit, or kMemoryBudgetDefault.
  Duration sync_interval{1'000'000};   // Of writes that nobody waits for.
  Duration drain_timeout{20'000'000};  // Of a stop, for the requests under way.
  LogLevel log_level = LogLevel::kInfo;

  // `self` is filled in from the above.
  ServiceConfig service;
};

inline constexpr uint64_t kMemoryBudgetDefault = uint64_t{512} << 20;

// What the process was started with.
struct Invocation {
  std::vector<std::string> arguments;  // Without the program's name.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<Result<std::string>(const std::string& path)> read_file;
};

struct LoadedConfig {
  NodeConfig config;
  std::string print;  // Not empty: --help or --version; print it and exit with 0.
};

// Flag before environment before YAML file before default. kInvalidArgument: one
// message that names the flag, the variable, or the file and line, and says what is
// wanted; nothing was touched.
Result<LoadedConfig> LoadConfig(const Invocation& invocation);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CONFIG_H_
