#include "node/api/http_route.h"

#include <fmt/format.h>

#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "node/api/riak_values.h"

namespace dynamo {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::vector<std::string>> SplitPath(std::string_view path) {
  std::vector<std::string> out;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (!path.empty()) {
    const size_t slash = path.find('/');
    auto segment = PercentDecode(path.substr(0, slash), /*plus_is_space=*/false);
    if (!segment) return Fail(segment.error());
    out.push_back(std::move(*segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    // "/keys/" names the empty key: an error the caller gives.
    if (path.empty()) out.emplace_back();
  }
  return out;
}

Result<std::map<std::string, std::string>> ParseQuery(std::string_view query) {
  std::map<std::string, std::string> out;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const size_t equals = pair.find('=');
    auto name = PercentDecode(pair.substr(0, equals), /*plus_is_space=*/true);
    auto value = PercentDecode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name) return Fail(name.error());
    if (!value) return Fail(value.error());
    if (!name->empty()) out.insert_or_assign(std::move(*name), std::move(*value));
  }
  return out;
}

// Below [/types/T]: buckets, buckets/B/props, buckets/B/keys, buckets/B/keys/K.
void RouteBuckets(std::span<const std::string> path, HttpRoute* route) {
  if (path.size() == 1) {
    route->kind = HttpRoute::Kind::kBuckets;
    return;
  }
  route->key.bucket = path[1];
  if (path.size() == 3 && path[2] == "props") {
    route->kind = HttpRoute::Kind::kProperties;
  } else if (path.size() == 3 && path[2] == "keys") {
    route->kind = HttpRoute::Kind::kKeys;
  } else if (path.size() == 4 && path[2] == "keys") {
    route->kind = HttpRoute::Kind::kObject;
    route->key.key = path[3];
  }
}

void RoutePath(std::span<const std::string> path, HttpRoute* route) {
  route->key.type = "default";
  if (path.empty()) {
    route->kind = HttpRoute::Kind::kResources;
  } else if (path.size() == 1 && path[0] == "ping") {
    route->kind = HttpRoute::Kind::kPing;
  } else if (path.size() == 1 && path[0] == "stats") {
    route->kind = HttpRoute::Kind::kStats;
  } else if (path[0] == "buckets") {
    RouteBuckets(path, route);
  } else if (path[0] == "types" && path.size() >= 3) {
    route->key.type = path[1];
    if (path.size() == 3 && path[2] == "props") {
      route->kind = HttpRoute::Kind::kTypeProperties;
    } else if (path[2] == "buckets") {
      RouteBuckets(path.subspan(2), route);
    }
  } else if (path[0] == "riak" && path.size() == 2) {
    route->kind = HttpRoute::Kind::kProperties;
    route->key.bucket = path[1];
  } else if (path[0] == "riak" && path.size() == 3) {
    route->kind = HttpRoute::Kind::kObject;
    route->key.bucket = path[1];
    route->key.key = path[2];
  }
}

Status SetQuorum(const HttpRoute& route, const char* name, QuorumValue* out) {
  const auto text = route.Parameter(name);
  if (!text) return {};
  auto value = QuorumFromText(name, *text);
  if (!value) return Fail(value.error());
  *out = *value;
  return {};
}

Status SetFlag(const HttpRoute& route, const char* name, std::optional<bool>* out) {
  if (!route.Parameter(name)) return {};
  const auto value = FlagFrom(route, name, false);
  if (!value) return Fail(value.error());
  *out = *value;
  return {};
}

Result<std::optional<uint32_t>> NumberFrom(const HttpRoute& route, const char* name) {
  const auto text = route.Parameter(name);
  if (!text) return std::nullopt;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) {
    return Fail(Errc::kInvalidArgument, fmt::format("Bad {} value '{}': want a whole number", name, *text));
  }
  return number;
}

template <class Options>
Status SetCommon(const HttpRoute& route, Options* options) {
  if (auto set = SetQuorum(route, "node_confirms", &options->node_confirms); !set) return set;
  if (auto set = SetFlag(route, "sloppy_quorum", &options->sloppy_quorum); !set) return set;
  const auto n_val = NumberFrom(route, "n_val");
  if (!n_val) return Fail(n_val.error());
  options->n_val = *n_val;
  const auto timeout_ms = NumberFrom(route, "timeout");
  if (!timeout_ms) return Fail(timeout_ms.error());
  if (*timeout_ms) options->timeout = std::chrono::milliseconds(**timeout_ms);
  return {};
}

}  // namespace

std::optional<std::string_view> HttpRoute::Parameter(const std::string& name) const {
  const auto found = query.find(name);
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Result<HttpRoute> ParseTarget(std::string_view target) {
  const size_t mark = target.find('?');
  auto path = SplitPath(target.substr(0, mark));
  if (!path) return Fail(path.error());
  auto query = ParseQuery(mark == std::string_view::npos ? "" : target.substr(mark + 1));
  if (!query) return Fail(query.error());
  HttpRoute route;
  route.query = std::move(*query);
  RoutePath(*path, &route);
  return route;
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Fail(Errc::kInvalidArgument, "bad percent escape: want % and two hexadecimal digits");
      }
      out += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return out;
}

std::string PercentEncode(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : bytes) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<uint8_t>(c) >> 4];
      out += kDigits[static_cast<uint8_t>(c) & 15];
    }
  }
  return out;
}

std::string PathOf(const ObjectKey& key) {
  const std::string type = key.type == "default" ? "" : "/types/" + PercentEncode(key.type);
  return type + "/buckets/" + PercentEncode(key.bucket) + "/keys/" + PercentEncode(key.key);
}

Result<ReadOptions> ReadOptionsFrom(const HttpRoute& route) {
  ReadOptions options;
  for (const auto& [name, out] : {std::pair("r", &options.r), std::pair("pr", &options.pr)}) {
    if (auto set = SetQuorum(route, name, out); !set) return Fail(set.error());
  }
  if (auto set = SetFlag(route, "basic_quorum", &options.basic_quorum); !set) return Fail(set.error());
  if (auto set = SetFlag(route, "notfound_ok", &options.notfound_ok); !set) return Fail(set.error());
  if (auto set = SetCommon(route, &options); !set) return Fail(set.error());
  return options;
}

Result<WriteOptions> WriteOptionsFrom(const HttpRoute& route) {
  WriteOptions options;
  for (const auto& [name, out] :
       {std::pair("w", &options.w), std::pair("dw", &options.dw), std::pair("pw", &options.pw)}) {
    if (auto set = SetQuorum(route, name, out); !set) return Fail(set.error());
  }
  if (auto set = SetCommon(route, &options); !set) return Fail(set.error());
  return options;
}

Result<bool> FlagFrom(const HttpRoute& route, const std::string& name, bool fallback) {
  const auto text = route.Parameter(name);
  if (!text) return fallback;
  if (*text == "true") return true;
  if (*text == "false") return false;
  return Fail(Errc::kInvalidArgument, fmt::format("{} query parameter must be true or false", name));
}

}  // namespace dynamo
