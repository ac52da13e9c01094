#include "node/api/http_properties.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "node/api/limits.h"

namespace dynamo {
namespace {

namespace json = boost::json;

json::value QuorumToJson(const QuorumValue& value) {
  switch (value.kind) {
    case QuorumValue::Kind::kOne: return "one";
    case QuorumValue::Kind::kQuorum: return "quorum";
    case QuorumValue::Kind::kAll: return "all";
    case QuorumValue::Kind::kDefault: return "default";
    case QuorumValue::Kind::kNumber: break;
  }
  return value.number;
}

tl::unexpected<Error> Invalid(std::string_view name, std::string_view what) {
  return Fail(Errc::kInvalidArgument, fmt::format("Invalid bucket properties: {} {}", name, what));
}

Status TakeQuorum(const json::object& props, const char* name, std::optional<QuorumValue>* out) {
  const json::value* value = props.if_contains(name);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const auto& text = value->get_string();
    if (text == "one") *out = QuorumValue::One();
    if (text == "quorum") *out = QuorumValue::Quorum();
    if (text == "all") *out = QuorumValue::All();
    if (*out) return {};
  } else if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= INT32_MAX) {
    *out = QuorumValue::Number(static_cast<uint32_t>(value->get_int64()));
    return {};
  }
  return Invalid(name, "must be a whole number, \"one\", \"quorum\" or \"all\"");
}

Status TakeFlag(const json::object& props, const char* name, std::optional<bool>* out) {
  const json::value* value = props.if_contains(name);
  if (value == nullptr) return {};
  if (!value->is_bool()) return Invalid(name, "must be true or false");
  *out = value->get_bool();
  return {};
}

// What the bucket type decides may be echoed, not changed.
Status CheckFixed(const json::object& props, const BucketProperties& today) {
  const bool siblings = today.policy == ConflictPolicy::kSiblings;
  const auto differs = [&props](const char* name, const json::value& is) {
    const json::value* wanted = props.if_contains(name);
    return wanted != nullptr && *wanted != is;
  };
  static constexpr std::string_view kWhy =
      "is fixed by the bucket type; use a bucket of type 'siblings' or 'lww' instead";
  if (differs("n_val", static_cast<int64_t>(today.n_val))) return Invalid("n_val", kWhy);
  if (differs("allow_mult", siblings)) return Invalid("allow_mult", kWhy);
  if (siblings && differs("last_write_wins", false)) return Invalid("last_write_wins", kWhy);
  for (const char* name : {"datatype", "consistent"}) {
    const json::value* wanted = props.if_contains(name);
    if (wanted != nullptr && *wanted != false) return Invalid(name, "is not supported by this version");
  }
  return {};
}

}  // namespace

std::string PropertiesToJson(const BucketProperties& properties, const ObjectKey& key) {
  const bool siblings = properties.policy == ConflictPolicy::kSiblings;
  json::object props;
  if (!key.bucket.empty()) props["name"] = key.bucket;
  props["bucket_type"] = key.type;
  props["n_val"] = properties.n_val;
  props["allow_mult"] = siblings;
  props["last_write_wins"] = !siblings;
  props["r"] = QuorumToJson(properties.r);
  props["w"] = QuorumToJson(properties.w);
  props["dw"] = QuorumToJson(properties.dw);
  props["rw"] = QuorumToJson(properties.rw);
  props["pr"] = QuorumToJson(properties.pr);
  props["pw"] = QuorumToJson(properties.pw);
  props["node_confirms"] = QuorumToJson(properties.node_confirms);
  props["basic_quorum"] = properties.basic_quorum;
  props["notfound_ok"] = properties.notfound_ok;
  props["precommit"] = json::array();
  props["postcommit"] = json::array();
  return json::serialize(json::object{{"props", std::move(props)}});
}

Result<BucketPropertiesChange> PropertiesFromJson(std::string_view text, const BucketProperties& today) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::object* root = parsed.if_object();
  const json::value* props_value = root != nullptr ? root->if_contains("props") : nullptr;
  const json::object* props = props_value != nullptr ? props_value->if_object() : nullptr;
  if (error || props == nullptr) {
    return Fail(Errc::kInvalidArgument, "Invalid bucket properties: want {\"props\": {...}}");
  }
  if (auto fixed = CheckFixed(*props, today); !fixed) return Fail(fixed.error());
  BucketPropertiesChange change;
  for (const auto& [name, out] :
       {std::pair("r", &change.r), std::pair("w", &change.w), std::pair("dw", &change.dw), std::pair("rw", &change.rw),
        std::pair("pr", &change.pr), std::pair("pw", &change.pw), std::pair("node_confirms", &change.node_confirms)}) {
    if (auto read = TakeQuorum(*props, name, out); !read) return Fail(read.error());
  }
  if (auto read = TakeFlag(*props, "basic_quorum", &change.basic_quorum); !read) return Fail(read.error());
  if (auto read = TakeFlag(*props, "notfound_ok", &change.notfound_ok); !read) return Fail(read.error());
  return change;
}

std::string StatsToJson(const DoorEnv& env) {
  json::object stats;
  stats["riak_kv_version"] = kRiakApiVersion;
  stats["riak_core_version"] = kRiakApiVersion;
  stats["nodename"] = env.node_name;
  if (env.metrics != nullptr) {
    for (const Metrics::Figure& figure : env.metrics->Collect()) {
      std::string name = figure.name;
      for (const auto& [label, value] : figure.labels) name += "_" + value;
      if (figure.counter != nullptr) stats[name] = figure.counter->value();
      if (figure.gauge != nullptr) stats[name] = figure.gauge->value();
    }
  }
  return json::serialize(stats);
}

}  // namespace dynamo
