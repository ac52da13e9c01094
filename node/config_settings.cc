#include "node/config_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <iterator>
#include <ranges>
#include <type_traits>
#include <utility>

namespace dynamo {
namespace {

constexpr uint64_t kMostMs = uint64_t{1000} * 3600 * 24 * 365;
constexpr std::array<std::pair<LogLevel, std::string_view>, 4> kLogLevels = {
    {{LogLevel::kDebug, "debug"}, {LogLevel::kInfo, "info"}, {LogLevel::kWarn, "warn"}, {LogLevel::kError, "error"}}};
constexpr std::array<std::pair<TlsMode, std::string_view>, 3> kTlsModes = {
    {{TlsMode::kOff, "off"}, {TlsMode::kOptional, "optional"}, {TlsMode::kRequired, "required"}}};
const auto& NamesOf(const LogLevel*) { return kLogLevels; }
const auto& NamesOf(const TlsMode*) { return kTlsModes; }

// Shorter than writing the lambda's type each time.
template <class Get>
Setting Make(std::string name, Get get, std::string help, uint64_t least = 0, uint64_t most = UINT64_MAX) {
  return {std::move(name), std::move(help), [get](NodeConfig& config) { return Field(&get(config)); }, least, most};
}

#define DYNAMO_FIELD(path) [](NodeConfig& c) -> auto& { return c.path; }

std::vector<Setting> MembershipSettings() {
  return {
      Make("gossip-interval-ms", DYNAMO_FIELD(service.membership.gossip_interval),
           "Between exchanges of the member table with a random node.", 1, kMostMs),
      Make("gossip-timeout-ms", DYNAMO_FIELD(service.membership.gossip_timeout), "Of one exchange.", 1, kMostMs),
      Make("seed-retry-min-ms", DYNAMO_FIELD(service.membership.seed_retry_min),
           "First wait until the seeds are asked again.", 1, kMostMs),
      Make("seed-retry-max-ms", DYNAMO_FIELD(service.membership.seed_retry_max), "Longest wait of that kind.", 1,
           kMostMs),
      Make("create-timeout-ms", DYNAMO_FIELD(service.membership.create_timeout), "Of the creation of a cluster.", 1,
           kMostMs),
      Make("probe-interval-ms", DYNAMO_FIELD(service.membership.failure_detector.probe_interval),
           "Between probes of other nodes.", 1, kMostMs),
      Make("probe-timeout-ms", DYNAMO_FIELD(service.membership.failure_detector.probe_timeout),
           "Of a direct probe; then others are asked to probe for as long again.", 1, kMostMs),
      Make("suspicion-timeout-ms", DYNAMO_FIELD(service.membership.failure_detector.suspicion_timeout),
           "From suspicion to being declared dead, in a small cluster.", 1, kMostMs),
  };
}

std::vector<Setting> NodeSettings() {
  return {
      Make("data-dir", DYNAMO_FIELD(data_dir),
           "Folder that holds the node's identity and data; made if it is missing."),
      Make("name", DYNAMO_FIELD(name), "For people only; dynamo@ADVERTISE-ADDRESS if not given."),
      Make("zone", DYNAMO_FIELD(zone),
           "Failure zone; replicas of a key go to different zones where there are several."),
      Make("capacity", DYNAMO_FIELD(capacity), "Share of the data, relative to the other nodes.", 1, 1'000'000),

      Make("listen-address", DYNAMO_FIELD(listen_address), "IP address that all four ports listen on."),
      Make("advertise-address", DYNAMO_FIELD(advertise_address),
           "Host or IP address that others reach this node at; the listen address if not given."),
      Make("http-port", DYNAMO_FIELD(http_port), "HTTP clients."),
      Make("pb-port", DYNAMO_FIELD(pb_port), "Protocol Buffers clients."),
      Make("peer-port", DYNAMO_FIELD(peer_port), "Other nodes."),
      Make("admin-port", DYNAMO_FIELD(admin_port), "Administration, health and metrics."),

      Make("seeds", DYNAMO_FIELD(seeds), "Peers to start the gossip with, HOST:PORT, separated by commas."),
      Make("seeds-dns", DYNAMO_FIELD(seeds_dns), "HOST:PORT whose every address is a peer to start the gossip with."),
      Make("seeds-kubernetes", DYNAMO_FIELD(seeds_kubernetes),
           "[NAMESPACE/]SERVICE of Kubernetes whose every pod is a peer to start the gossip with."),

      Make("shards", DYNAMO_FIELD(shards), "Threads that serve requests; 0: one less than the cores, at least one.", 0,
           1024),
      Make("memory-budget-bytes", DYNAMO_FIELD(memory_budget_bytes),
           "Memory to size caches and buffers for; 0: the container's limit, or 512MiB.", 0, uint64_t{1} << 50),
      Make("sync-interval-ms", DYNAMO_FIELD(sync_interval),
           "At most this long until a write that nobody waits for is on stable storage; 0: the system decides.", 0,
           kMostMs),
      Make("drain-timeout-ms", DYNAMO_FIELD(drain_timeout),
           "After SIGTERM, at most this long until the requests under way are answered.", 0, kMostMs),
      Make("log-level", DYNAMO_FIELD(log_level), "debug, info, warn or error."),

      Make("request-timeout-ms", DYNAMO_FIELD(service.request_timeout), "Of a request that names no timeout.", 1,
           kMostMs),
      Make("request-timeout-max-ms", DYNAMO_FIELD(service.request_timeout_max), "The longest that a request may name.",
           1, kMostMs),
      Make("replica-timeout-ms", DYNAMO_FIELD(service.replica_timeout),
           "After this long without an answer a fallback is asked in a replica's place.", 1, kMostMs),
      Make("hedge-after-min-ms", DYNAMO_FIELD(service.hedge_after_min),
           "A slow read goes to a second replica after the recent p95, but not before this.", 0, kMostMs),
      Make("object-bytes-max", DYNAMO_FIELD(service.object_bytes_max), "Largest object.", 1, 60u << 20),
      Make("siblings-max", DYNAMO_FIELD(service.siblings_max), "Most siblings of one object.", 1, 100'000),
      Make("clock-cache-entries", DYNAMO_FIELD(service.clock_cache_entries),
           "Keys per shard whose clock stays in memory.", 0, uint64_t{1} << 32),
      Make("hint-bytes-max", DYNAMO_FIELD(service.hint_bytes_max),
           "Bytes kept for nodes that are away; above it new ones are refused."),
      Make("hint-retry-ms", DYNAMO_FIELD(service.hint_retry), "Between attempts to deliver what is kept.", 1, kMostMs),
      Make("anti-entropy-interval-ms", DYNAMO_FIELD(service.anti_entropy_interval),
           "Between comparisons of what this node holds with the other owners; 0: on demand only.", 0, kMostMs),
      Make("anti-entropy-rescan-ms", DYNAMO_FIELD(service.anti_entropy_rescan),
           "Between readings of all that is stored, which find what has rotted; 0: never.", 0, kMostMs),
      Make("anti-entropy-bytes-per-second", DYNAMO_FIELD(service.anti_entropy_bytes_per_second),
           "That each shard reads and sends for it; 0: as fast as it goes."),
      Make("transfer-max-concurrent", DYNAMO_FIELD(service.transfer_max_concurrent),
           "Partitions that each shard receives at once while members come and go; 0: none, they wait.", 0, 1024),
      Make("transfer-bytes-per-second", DYNAMO_FIELD(service.transfer_bytes_per_second),
           "That each shard receives, and sends, of partitions on the move; 0: as fast as it goes."),
      Make("departure-grace-ms", DYNAMO_FIELD(service.departure_grace),
           "A node that leaves serves on for this long after /readyz has said that it is not ready.", 0, kMostMs),
      Make("requests-in-flight-max", DYNAMO_FIELD(service.requests_in_flight_max),
           "Per shard; further requests are refused as overload.", 1, 10'000'000),
  };
}

std::vector<Setting> ReapSettings() {
  return {
      Make("reap-interval-ms", DYNAMO_FIELD(service.reap_interval),
           "Between searches for tombstones and long version vectors that can be removed for good; 0, or without "
           "anti-entropy: never.",
           0, kMostMs),
      Make("reap-age-min-ms", DYNAMO_FIELD(service.reap_age_min),
           "What was written since is not looked at yet; that it is safe to remove rests on other things.", 0, kMostMs),
      Make("reap-clock-entries-max", DYNAMO_FIELD(service.reap_clock_entries_max),
           "Version vectors with more entries are cut.", 1, 1'000'000),
      Make("reap-bytes-per-second", DYNAMO_FIELD(service.reap_bytes_per_second),
           "That each shard reads for it; 0: as fast as it goes."),
  };
}

std::vector<Setting> SecuritySettings() {
  return {
      Make("tls-client", DYNAMO_FIELD(tls_client.mode), "TLS of clients: off, optional or required."),
      Make("tls-client-folder", DYNAMO_FIELD(tls_client.folder), "Where its tls.crt and tls.key are."),
      Make("tls-peer", DYNAMO_FIELD(tls_peer.mode), "TLS between nodes: off, optional or required."),
      Make("tls-peer-folder", DYNAMO_FIELD(tls_peer.folder), "Where its tls.crt, tls.key and ca.crt are."),
      Make("tls-admin", DYNAMO_FIELD(tls_admin.mode), "TLS of the admin port: off, optional or required."),
      Make("tls-admin-folder", DYNAMO_FIELD(tls_admin.folder),
           "Where its tls.crt and tls.key are; with ca.crt, of administrators."),
      Make("tls-reload-interval-ms", DYNAMO_FIELD(tls_reload_interval), "Between looks at these files.", 1, kMostMs),
      Make("admin-token-file", DYNAMO_FIELD(admin_token_file),
           "Holds the token that administrators show; all may administer without it and without ca.crt."),
      Make("auth-users-file", DYNAMO_FIELD(auth_users_file),
           "YAML file of the clients' users and what they may do; without it every client may do everything."),
      Make("auth-allow-plaintext", DYNAMO_FIELD(auth_allow_plaintext),
           "true: users may give their passwords without TLS, too."),
  };
}

#undef DYNAMO_FIELD

std::vector<Setting> MakeSettings() {
  std::vector<Setting> all = NodeSettings();
  std::ranges::move(MembershipSettings(), std::back_inserter(all));
  std::ranges::move(SecuritySettings(), std::back_inserter(all));
  std::ranges::move(ReapSettings(), std::back_inserter(all));
  return all;
}

// A number with an optional KiB, MiB or GiB.
std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t scale = 1;
  for (const auto& [suffix, shift] : {std::pair("KiB", 10), {"MiB", 20}, {"GiB", 30}}) {
    if (!text.ends_with(suffix)) continue;
    text.remove_suffix(3);
    scale = uint64_t{1} << shift;
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > UINT64_MAX / scale) return std::nullopt;
  return value * scale;
}

template <class T>
Status AssignNumber(const Setting& setting, const Given& given, T* out) {
  constexpr bool kDuration = std::is_same_v<T, Duration>;
  uint64_t most = setting.most;
  if constexpr (!kDuration) most = std::min<uint64_t>(most, std::numeric_limits<T>::max());
  const auto value = ParseNumber(given.values.front());
  if (!value || *value < setting.least || *value > most) {
    return Fail(Errc::kInvalidArgument, fmt::format("{}: \"{}\" is no number from {} to {}", given.where,
                                                    given.values.front(), setting.least, most));
  }
  if constexpr (kDuration) {
    *out = std::chrono::milliseconds(*value);
  } else {
    *out = static_cast<T>(*value);
  }
  return {};
}

Status AssignFlag(const Given& given, bool* out) {
  const std::string& value = given.values.front();
  *out = value == "true";
  if (*out || value == "false") return {};
  return Fail(Errc::kInvalidArgument, fmt::format("{}: \"{}\" is neither true nor false", given.where, value));
}

template <class T>
Status AssignNamed(const Given& given, T* out) {
  const auto& names = NamesOf(out);
  const auto found = std::ranges::find(names, given.values.front(), &std::pair<T, std::string_view>::second);
  if (found != names.end()) {
    *out = found->first;
    return {};
  }
  return Fail(Errc::kInvalidArgument, fmt::format("{}: \"{}\" is none of {}", given.where, given.values.front(),
                                                  fmt::join(names | std::views::values, ", ")));
}

// Commas separate, too: an environment variable is one string.
std::vector<std::string> SplitList(const std::vector<std::string>& values) {
  std::vector<std::string> out;
  for (std::string_view rest : values) {
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) out.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return out;
}

}  // namespace

const std::vector<Setting>& Settings() {
  static const std::vector<Setting> settings = MakeSettings();
  return settings;
}

const Setting* FindSetting(std::string_view name) {
  const auto found = std::ranges::find(Settings(), name, &Setting::name);
  return found == Settings().end() ? nullptr : &*found;
}

std::string EnvironmentName(const Setting& setting) {
  std::string name = "DYNAMO_" + setting.name;
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Status Assign(const Setting& setting, const Given& given, NodeConfig& config) {
  const Field field = setting.field(config);
  if (const auto* list = std::get_if<std::vector<std::string>*>(&field)) {
    **list = SplitList(given.values);
    return {};
  }
  if (given.values.size() != 1) {
    return Fail(Errc::kInvalidArgument, fmt::format("{}: takes one value, not {}", given.where, given.values.size()));
  }
  return std::visit(
      [&](auto* value) -> Status {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          *value = given.values.front();
          return {};
        } else if constexpr (std::is_enum_v<T>) {
          return AssignNamed(given, value);
        } else if constexpr (std::is_same_v<T, bool>) {
          return AssignFlag(given, value);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return {};  // Taken above.
        } else {
          return AssignNumber(setting, given, value);
        }
      },
      field);
}

std::string ShowValue(const Setting& setting, NodeConfig config) {
  return std::visit(
      [](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Duration>) {
          return fmt::format("{}", value->count() / 1000);
        } else if constexpr (std::is_enum_v<T>) {
          return std::string(std::ranges::find(NamesOf(value), *value, &std::pair<T, std::string_view>::first)->second);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return fmt::format("{}", fmt::join(*value, ","));
        } else {
          return fmt::format("{}", *value);
        }
      },
      setting.field(config));
}

std::string TypeName(const Setting& setting) {
  NodeConfig config;
  const Field field = setting.field(config);
  if (std::holds_alternative<std::string*>(field)) return "TEXT";
  if (std::holds_alternative<std::vector<std::string>*>(field)) return "LIST";
  if (std::holds_alternative<LogLevel*>(field)) return "LEVEL";
  if (std::holds_alternative<TlsMode*>(field)) return "MODE";
  if (std::holds_alternative<bool*>(field)) return "true|false";
  if (std::holds_alternative<Duration*>(field)) return "MS";
  return setting.name.find("bytes") != std::string::npos ? "BYTES" : "NUMBER";
}

}  // namespace dynamo
