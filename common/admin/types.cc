#include "common/admin/types.h"

#include <fmt/format.h>

#include <boost/json/conversion.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <type_traits>

namespace dynamo::admin {
namespace {

namespace json = boost::json;

// One list of fields for each struct serves both directions: Visit(v, struct)
// calls v("name", field) for each.
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Identity>
{
  v("nodeID", x.node_id), v("clusterID", x.cluster_id), v("bootNumber", x.boot_number), v("state", x.state);
  v("emptyVolume", x.empty_volume);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Member>
{
  v("id", x.id), v("name", x.name), v("zone", x.zone), v("capacity", x.capacity), v("state", x.state);
  v("liveness", x.liveness), v("tokens", x.tokens), v("peerAddress", x.peer_address);
  v("httpAddress", x.http_address), v("pbAddress", x.pb_address), v("adminAddress", x.admin_address);
  v("version", x.version), v("incarnation", x.incarnation);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Members>
{
  v("nodeID", x.node_id), v("members", x.members);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Loss>
{
  v("kind", x.kind), v("generation", x.generation), v("epoch", x.epoch), v("operationID", x.operation_id);
  v("by", x.by), v("atMs", x.at_ms), v("nodes", x.nodes), v("partitions", x.partitions);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, LossOperation>
{
  v("clusterID", x.cluster_id), v("nodes", x.nodes), v("partitions", x.partitions), v("by", x.by);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Operation::Wait>
{
  v("partitions", x.partitions), v("owners", x.owners), v("receivers", x.receivers);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Topology::Type>
{
  v("name", x.name), v("policy", x.policy), v("durability", x.durability), v("nVal", x.n_val);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Topology>
{
  v("clusterID", x.cluster_id), v("generation", x.generation), v("epoch", x.epoch), v("partitions", x.partitions);
  v("hash", x.hash), v("voters", x.voters), v("members", x.members), v("owners", x.owners), v("types", x.types);
  v("pendingOwners", x.pending_owners), v("change", x.change), v("moved", x.moved), v("toMove", x.to_move);
  v("losses", x.losses);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, MemberOperation::Staged>
{
  v("nodeID", x.node_id), v("zone", x.zone), v("capacity", x.capacity);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, MemberOperation>
{
  v("nodeID", x.node_id), v("oldID", x.old_id), v("zone", x.zone), v("capacity", x.capacity), v("epoch", x.epoch);
  v("join", x.join), v("leave", x.leave), v("capacities", x.capacities);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Plan::Member>
{
  v("id", x.id), v("name", x.name), v("zone", x.zone), v("change", x.change), v("capacity", x.capacity);
  v("tokensBefore", x.tokens_before), v("tokensAfter", x.tokens_after), v("idealAfter", x.ideal_after);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Plan>
{
  v("epoch", x.epoch), v("partitions", x.partitions), v("nVal", x.n_val), v("moves", x.moves);
  v("replicasToCopy", x.replicas_to_copy), v("members", x.members), v("unsatisfied", x.unsatisfied);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Hints::Owner>
{
  v("nodeID", x.node_id), v("hints", x.hints), v("bytes", x.bytes);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Hints>
{
  v("total", x.total), v("owners", x.owners);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Location::Step>
{
  v("partition", x.partition), v("nodeID", x.node_id), v("name", x.name), v("zone", x.zone), v("role", x.role);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Location::Holder>
{
  v("nodeID", x.node_id), v("name", x.name), v("reachable", x.reachable), v("hasObject", x.has_object);
  v("hint", x.hint), v("digest", x.digest), v("siblings", x.siblings);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Location>
{
  v("position", x.position), v("partition", x.partition), v("nVal", x.n_val), v("walk", x.walk);
  v("holders", x.holders);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Safety::Partition>
{
  v("partition", x.partition), v("nVal", x.n_val), v("owners", x.owners), v("ready", x.ready);
  v("readyWithout", x.ready_without);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Safety::Keeper>
{
  v("nodeID", x.node_id), v("name", x.name), v("hints", x.hints), v("bytes", x.bytes);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Safety>
{
  v("nodeID", x.node_id), v("verdict", x.verdict), v("why", x.why), v("hints", x.hints), v("keepers", x.keepers);
  v("unanswered", x.unanswered), v("epoch", x.epoch), v("change", x.change), v("partitions", x.partitions);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, CreateOperation::Member>
{
  v("peerAddress", x.peer_address), v("zone", x.zone), v("capacity", x.capacity);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, CreateOperation>
{
  v("clusterID", x.cluster_id), v("partitions", x.partitions), v("seed", x.ring_seed), v("nVal", x.n_val);
  v("members", x.members);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, CreateTypeOperation>
{
  v("name", x.name), v("policy", x.policy), v("durability", x.durability), v("nVal", x.n_val), v("epoch", x.epoch);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Operation>
{
  v("id", x.id), v("type", x.type), v("state", x.state), v("message", x.message), v("clusterID", x.cluster_id);
  v("epoch", x.epoch), v("moved", x.moved), v("toMove", x.to_move), v("waits", x.waits);
  v("bytesDone", x.bytes_done), v("bytesInAll", x.bytes_in_all), v("bytesPerSecond", x.bytes_per_second);
  v("secondsLeft", x.seconds_left), v("unanswered", x.unanswered);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, RepairOperation>
{
  v("partition", x.partition);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Repair>
{
  v("id", x.id), v("type", x.type), v("state", x.state), v("exchanges", x.exchanges);
  v("exchangesDone", x.exchanges_done), v("exchangesFailed", x.exchanges_failed);
  v("leavesDiffering", x.leaves_differing), v("keysRepaired", x.keys_repaired), v("keysFailed", x.keys_failed);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Roots::Tree>
{
  v("nVal", x.n_val), v("root", x.root), v("leavesMarked", x.leaves_marked);
}
template <class V, class T>
void Visit(V& v, T& x)
  requires std::is_same_v<std::remove_const_t<T>, Roots>
{
  v("nodeID", x.node_id), v("partition", x.partition), v("trees", x.trees);
}

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;

struct Writer {
  json::object out;

  template <class T>
  static json::value Of(const T& field) {
    if constexpr (kIsVector<T>) {
      json::array items;
      for (const auto& item : field) items.push_back(Of(item));
      return items;
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return json::value_from(field);
    } else {
      Writer inner;
      Visit(inner, field);
      return std::move(inner.out);
    }
  }
  template <class T>
  void operator()(const char* name, const T& field) {
    out[name] = Of(field);
  }
};

// Absent fields keep their defaults and unknown ones are passed over, so that older
// and newer peers understand each other; a field of the wrong type is an error.
struct Reader {
  const json::object* in;
  Status status;

  template <class T>
  static Status Read(const std::string& name, const json::value& value, T* field) {
    const auto wrong = [&name](std::string_view want) {
      return Fail(Errc::kInvalidArgument, fmt::format("'{}' must be {}", name, want));
    };
    if constexpr (std::is_same_v<T, bool>) {
      if (!value.is_bool()) return wrong("true or false");
      *field = value.get_bool();
    } else if constexpr (std::is_arithmetic_v<T>) {
      boost::system::error_code error;
      const T number = value.to_number<T>(error);
      if (error) return wrong("a whole number in range");
      *field = number;
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!value.is_string()) return wrong("a string");
      *field = value.get_string();
    } else if constexpr (kIsVector<T>) {
      if (!value.is_array()) return wrong("a list");
      for (const json::value& item : value.get_array()) {
        field->emplace_back();
        if (auto read = Read(name + "[]", item, &field->back()); !read) return read;
      }
    } else {
      if (!value.is_object()) return wrong("an object");
      Reader inner{&value.get_object(), {}};
      Visit(inner, *field);
      return inner.status;
    }
    return {};
  }
  template <class T>
  void operator()(const char* name, T& field) {
    const json::value* value = in->if_contains(name);
    if (value != nullptr && status) status = Read(name, *value, &field);
  }
};

template <class T>
Result<T> FromJson(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) return Fail(Errc::kInvalidArgument, "malformed JSON: " + error.message());
  T out;
  if (auto read = Reader::Read("the document", parsed, &out); !read) return Fail(read.error());
  return out;
}

}  // namespace

boost::json::value ToJson(const Identity& value) { return Writer::Of(value); }
boost::json::value ToJson(const Members& value) { return Writer::Of(value); }
boost::json::value ToJson(const Topology& value) { return Writer::Of(value); }
boost::json::value ToJson(const Hints& value) { return Writer::Of(value); }
boost::json::value ToJson(const Location& value) { return Writer::Of(value); }
boost::json::value ToJson(const Safety& value) { return Writer::Of(value); }
boost::json::value ToJson(const CreateOperation& value) { return Writer::Of(value); }
boost::json::value ToJson(const CreateTypeOperation& value) { return Writer::Of(value); }
boost::json::value ToJson(const MemberOperation& value) { return Writer::Of(value); }
boost::json::value ToJson(const LossOperation& value) { return Writer::Of(value); }
boost::json::value ToJson(const Plan& value) { return Writer::Of(value); }
boost::json::value ToJson(const Operation& value) { return Writer::Of(value); }
boost::json::value ToJson(const RepairOperation& value) { return Writer::Of(value); }
boost::json::value ToJson(const Repair& value) { return Writer::Of(value); }
boost::json::value ToJson(const Roots& value) { return Writer::Of(value); }

Result<Identity> IdentityFromJson(std::string_view text) { return FromJson<Identity>(text); }
Result<Members> MembersFromJson(std::string_view text) { return FromJson<Members>(text); }
Result<Topology> TopologyFromJson(std::string_view text) { return FromJson<Topology>(text); }
Result<Hints> HintsFromJson(std::string_view text) { return FromJson<Hints>(text); }
Result<Location> LocationFromJson(std::string_view text) { return FromJson<Location>(text); }
Result<Safety> SafetyFromJson(std::string_view text) { return FromJson<Safety>(text); }
Result<CreateOperation> CreateOperationFromJson(std::string_view text) { return FromJson<CreateOperation>(text); }
Result<CreateTypeOperation> CreateTypeOperationFromJson(std::string_view text) {
  return FromJson<CreateTypeOperation>(text);
}
Result<MemberOperation> MemberOperationFromJson(std::string_view text) { return FromJson<MemberOperation>(text); }
Result<LossOperation> LossOperationFromJson(std::string_view text) { return FromJson<LossOperation>(text); }
Result<Plan> PlanFromJson(std::string_view text) { return FromJson<Plan>(text); }
Result<Operation> OperationFromJson(std::string_view text) { return FromJson<Operation>(text); }
Result<RepairOperation> RepairOperationFromJson(std::string_view text) { return FromJson<RepairOperation>(text); }
Result<Repair> RepairFromJson(std::string_view text) { return FromJson<Repair>(text); }
Result<Roots> RootsFromJson(std::string_view text) { return FromJson<Roots>(text); }

}  // namespace dynamo::admin
