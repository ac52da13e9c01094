#include "node/config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

#include "node/adapter/host_port.h"
#include "node/adapter/kubernetes_seeds.h"
#include "node/config_settings.h"
#include "node/version.h"

namespace dynamo {
namespace {

constexpr char kConfigVariable[] = "DYNAMO_CONFIG";

struct CommandLine {
  GivenSettings settings;
  std::string config_file;
  std::string print;
};

std::string Footer() {
  return fmt::format(
      "Each setting may also be given in the environment (--data-dir as {}) or in the YAML file (data-dir: ...).\n"
      "A flag goes before the environment, the environment before the file. Byte counts may end in KiB, MiB or GiB.",
      EnvironmentName(Settings().front()));
}

Result<CommandLine> ParseArguments(std::vector<std::string> arguments) {
  CLI::App app("One node of a Dynamo cluster.", "dynamo-node");
  app.footer(Footer());
  app.set_version_flag("--version", std::string("dynamo-node ") + kVersion);
  CommandLine line;
  app.add_option("--config", line.config_file, fmt::format("YAML file with settings [{}]", kConfigVariable))
      ->type_name("FILE");
  std::map<std::string, std::vector<std::string>> values;
  for (const Setting& setting : Settings()) {
    app.add_option("--" + setting.name, values[setting.name], setting.help)
        ->type_name(TypeName(setting))
        ->default_str(ShowValue(setting, {}))
        ->allow_extra_args(false);
  }
  try {
    std::ranges::reverse(arguments);  // As CLI11 wants them.
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    line.print = app.help();
  } catch (const CLI::CallForVersion& version) {
    line.print = std::string(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    return Fail(Errc::kInvalidArgument, fmt::format("{}; --help lists all settings", error.what()));
  }
  for (auto& [name, given] : values) {
    if (!given.empty()) line.settings[name] = {std::move(given), "--" + name};
  }
  return line;
}

GivenSettings ReadEnvironment(const Invocation& invocation) {
  GivenSettings settings;
  for (const Setting& setting : Settings()) {
    const std::string variable = EnvironmentName(setting);
    if (auto value = invocation.environment(variable)) settings[setting.name] = {{std::move(*value)}, variable};
  }
  return settings;
}

Result<GivenSettings> ReadFile(const Invocation& invocation, const std::string& flag) {
  const std::string path = flag.empty() ? invocation.environment(kConfigVariable).value_or("") : flag;
  if (path.empty()) return GivenSettings{};
  const auto text = invocation.read_file(path);
  if (!text) return Fail(text.error());
  return ParseYamlSettings(*text, path);
}

Status CheckAddresses(const NodeConfig& config) {
  const auto refuse = [](std::string why) { return Fail(Errc::kInvalidArgument, std::move(why)); };
  boost::system::error_code error;
  const auto listen = asio::ip::make_address(config.listen_address, error);
  if (error) return refuse(fmt::format("listen-address: \"{}\" is no IP address", config.listen_address));
  if (listen.is_unspecified() && config.advertise_address.empty()) {
    return refuse(fmt::format("advertise-address is needed: others cannot reach a node at {}", config.listen_address));
  }
  for (const std::string& seed : config.seeds) {
    if (const auto parsed = ParseHostPort(seed); !parsed) return refuse("seeds: " + parsed.error().message);
  }
  if (!config.seeds_kubernetes.empty()) {
    if (const auto parsed = ParseKubernetesService(config.seeds_kubernetes); !parsed) {
      return refuse("seeds-kubernetes: " + parsed.error().message);
    }
  }
  if (config.seeds_dns.empty()) return {};
  if (const auto parsed = ParseHostPort(config.seeds_dns); !parsed)
    return refuse("seeds-dns: " + parsed.error().message);
  return {};
}

Status CheckPorts(const NodeConfig& config) {
  std::vector<uint16_t> ports = {config.http_port, config.pb_port, config.peer_port, config.admin_port};
  std::ranges::sort(ports);
  for (size_t i = 1; i < ports.size(); ++i) {
    // Several zeros are several free ports.
    if (ports[i] == ports[i - 1] && ports[i] != 0) {
      return Fail(Errc::kInvalidArgument,
                  fmt::format("http-port, pb-port, peer-port and admin-port: {} is given twice", ports[i]));
    }
  }
  return {};
}

Status CheckTls(const NodeConfig& config) {
  for (const auto& [name, tls] : {std::pair("tls-client", &config.tls_client), std::pair("tls-peer", &config.tls_peer),
                                  std::pair("tls-admin", &config.tls_admin)}) {
    if (tls->mode == TlsMode::kOff || !tls->folder.empty()) continue;
    return Fail(Errc::kInvalidArgument, fmt::format("{0} wants {0}-folder: the folder of tls.crt and tls.key", name));
  }
  return {};
}

Status CheckUsers(const NodeConfig& config) {
  if (config.auth_users_file.empty() || config.auth_allow_plaintext) return {};
  if (config.tls_client.mode != TlsMode::kOff) return {};
  return Fail(Errc::kInvalidArgument,
              "auth-users-file wants tls-client: optional or required, or else passwords would pass in plaintext; "
              "where that does no harm say auth-allow-plaintext: true");
}

// What one setting cannot say of itself.
Status Complete(NodeConfig& config) {
  if (config.data_dir.empty()) return Fail(Errc::kInvalidArgument, "data-dir is needed: --data-dir FOLDER");
  if (Status addresses = CheckAddresses(config); !addresses) return addresses;
  if (Status ports = CheckPorts(config); !ports) return ports;
  if (Status tls = CheckTls(config); !tls) return tls;
  if (Status users = CheckUsers(config); !users) return users;
  if (config.service.request_timeout > config.service.request_timeout_max) {
    return Fail(Errc::kInvalidArgument, "request-timeout-ms is above request-timeout-max-ms");
  }
  if (config.advertise_address.empty()) config.advertise_address = config.listen_address;
  if (config.name.empty()) config.name = "dynamo@" + config.advertise_address;
  return {};
}

}  // namespace

Result<LoadedConfig> LoadConfig(const Invocation& invocation) {
  LoadedConfig loaded;
  auto line = ParseArguments(invocation.arguments);
  if (!line) return Fail(std::move(line.error()));
  if (!line->print.empty()) {
    loaded.print = std::move(line->print);
    return loaded;
  }
  GivenSettings given = std::move(line->settings);
  given.merge(ReadEnvironment(invocation));  // Keeps what is there.
  auto file = ReadFile(invocation, line->config_file);
  if (!file) return Fail(std::move(file.error()));
  // Also of what a flag overrides: a wrong file is wrong.
  for (const GivenSettings& source : {std::as_const(*file), std::as_const(given)}) {
    for (const auto& [name, value] : source) {
      if (Status assigned = Assign(*FindSetting(name), value, loaded.config); !assigned) return Fail(assigned.error());
    }
  }
  if (Status complete = Complete(loaded.config); !complete) return Fail(std::move(complete.error()));
  return loaded;
}

}  // namespace dynamo
