#include "node/api/admin_door.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "common/admin/metrics_text.h"
#include "node/api/admin_convert.h"
#include "node/api/admin_loss.h"
#include "node/api/admin_member_changes.h"
#include "node/api/http_door.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;

HttpResponse Json(HttpStatus status, const json::value& value) {
  return JsonResponse(status, json::serialize(value) + "\n");
}

// Errors are JSON here: {"error": "...", "code": "already_exists"}.
HttpResponse JsonError(const Error& error) {
  const HttpStatus status = ErrorResponse(error, /*read=*/true).result();
  return Json(status, json::object{{"error", error.message}, {"code", ErrcName(error.code)}});
}

constexpr std::string_view kOperationsPath = "/operations/";
constexpr std::string_view kCreate = "create";
constexpr std::string_view kCreateType = "create-bucket-type";
constexpr std::string_view kRepair = "repair";

// Of an operation; empty: it names none.
std::string TypeOf(const std::string& body) {
  boost::system::error_code error;
  const json::value parsed = json::parse(body, error);
  const json::value* type = !error && parsed.is_object() ? parsed.get_object().if_contains("type") : nullptr;
  return type != nullptr && type->is_string() ? std::string(type->get_string()) : "";
}

Result<TopologyChange> ChangeOf(const admin::Operation& operation, const std::string& body, const KnownNodes& known) {
  if (IsLossOperation(operation.type)) {
    const auto wanted = admin::LossOperationFromJson(body);
    if (!wanted) return Fail(wanted.error());
    return FromAdmin(*wanted, operation.type, operation.id, known);
  }
  const auto wanted = admin::MemberOperationFromJson(body);
  if (!wanted) return Fail(wanted.error());
  return FromAdmin(*wanted, operation.type, operation.id, known);
}

}  // namespace

Async<HttpResponse> AdminDoor::AnswerOn(std::shared_ptr<Connection> connection, AdminGuard* guard,
                                        HttpRequest request) {
  if (guard != nullptr) {
    if (auto refusal = guard->Refuse(request, connection->stream().is_admin())) co_return std::move(*refusal);
  }
  co_return co_await Answer(std::move(request));
}

Async<HttpResponse> AdminDoor::Answer(HttpRequest request) {
  const std::string target(request.target());
  const std::string path = target.substr(0, target.find('?'));
  if (path.starts_with(kOperationsPath)) {
    auto id = PercentDecode(std::string_view(path).substr(kOperationsPath.size()), /*plus_is_space=*/false);
    if (!id) co_return JsonError(id.error());
    if (request.method() == http::verb::get) co_return co_await GetOperation(std::move(*id));
    if (request.method() == http::verb::put) co_return co_await PutOperation(std::move(*id), std::move(request.body()));
    co_return TextResponse(HttpStatus::method_not_allowed, "this resource allows GET, PUT");
  }
  if (path == "/plan") {
    if (request.method() == http::verb::put) co_return Plan(request.body());
    co_return TextResponse(HttpStatus::method_not_allowed, "this resource allows PUT");
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    co_return TextResponse(HttpStatus::method_not_allowed, "this resource allows GET, HEAD");
  }
  if (path == "/locate") {
    auto route = ParseTarget(target);
    if (!route) co_return JsonError(route.error());
    co_return co_await Locate(std::move(*route));
  }
  if (path == "/roots") {
    auto route = ParseTarget(target);
    if (!route) co_return JsonError(route.error());
    co_return co_await Roots(std::move(*route));
  }
  if (path == "/safety") {
    auto route = ParseTarget(target);
    if (!route) co_return JsonError(route.error());
    co_return co_await Safety(std::string(route->Parameter("without").value_or("")));
  }
  co_return AnswerRead(path);
}

HttpResponse AdminDoor::AnswerRead(const std::string& path) {
  if (path == "/healthz") return TextResponse(HttpStatus::ok, "ok");
  if (path == "/readyz") {
    if (stopping_) return TextResponse(HttpStatus::service_unavailable, "not ready: stopping");
    if (handler_->Ready()) return TextResponse(HttpStatus::ok, "ready");
    return TextResponse(HttpStatus::service_unavailable,
                        "not ready: " + handler_->Identity().state + "; see GET /identity");
  }
  if (path == "/metrics") {
    HttpResponse response = TextResponse(HttpStatus::ok, admin::MetricsText(*metrics_));
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    return response;
  }
  const auto topology = handler_->CurrentTopology();
  if (path == "/identity") return Json(HttpStatus::ok, ToJson(ToAdmin(handler_->Identity())));
  if (path == "/hints") return Json(HttpStatus::ok, ToJson(ToAdmin(handler_->Hints())));
  if (path == "/members") {
    return Json(HttpStatus::ok, ToJson(ToAdmin(handler_->Identity().node, handler_->Members(), topology.get())));
  }
  if (path == "/topology") {
    if (topology) return Json(HttpStatus::ok, ToJson(ToAdmin(*topology)));
    return JsonError({Errc::kUnavailable, "this node is of no cluster yet: create one with dynamoctl cluster create"});
  }
  return JsonError(
      {Errc::kNotFound,
       "no such resource: there are /healthz /readyz /metrics /identity /topology /members /hints /locate /safety "
       "/roots /plan /operations/{id}"});
}

Async<HttpResponse> AdminDoor::Locate(HttpRoute route) {
  const auto part = [&route](const char* name) { return std::string(route.Parameter(name).value_or("")); };
  ObjectKey key{part("type"), part("bucket"), part("key")};
  if (key.type.empty()) key.type = "default";
  if (key.bucket.empty() || key.key.empty()) {
    co_return JsonError({Errc::kInvalidArgument, "want /locate?type=T&bucket=B&key=K"});
  }
  const auto location = co_await handler_->Locate(std::move(key));
  if (!location) co_return JsonError(location.error());
  co_return Json(HttpStatus::ok, ToJson(ToAdmin(*location, handler_->CurrentTopology().get())));
}

Async<HttpResponse> AdminDoor::Roots(HttpRoute route) {
  const std::string text(route.Parameter("partition").value_or(""));
  PartitionId partition = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), partition);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    co_return JsonError({Errc::kInvalidArgument, "want /roots?partition=P"});
  }
  const auto roots = co_await handler_->TreeRoots(partition);
  if (!roots) co_return JsonError(roots.error());
  co_return Json(HttpStatus::ok, ToJson(ToAdmin(handler_->Identity().node, partition, *roots)));
}

HttpResponse AdminDoor::StartRepair(const std::string& id, const std::string& body) {
  const auto wanted = admin::RepairOperationFromJson(body);
  if (!wanted) return JsonError(wanted.error());
  const auto partition = PartitionFromAdmin(*wanted);
  if (!partition) return JsonError(partition.error());
  const auto started = handler_->StartRepair(id, *partition);
  if (!started) return JsonError(started.error());
  return Json(HttpStatus::ok, ToJson(ToAdmin(*started)));
}

Async<HttpResponse> AdminDoor::Safety(std::string without) {
  const auto reports = co_await handler_->Reports();
  const auto topology = handler_->CurrentTopology();
  if (!topology) co_return JsonError({Errc::kUnavailable, "this node is of no cluster yet"});
  auto safety = SafetyWithout(without, {topology.get(), handler_->Members()}, reports);
  if (!safety) co_return JsonError(safety.error());
  safety->node_id = ToString(handler_->Identity().node);
  co_return Json(HttpStatus::ok, ToJson(*safety));
}

HttpResponse AdminDoor::Plan(const std::string& body) const {
  const auto topology = handler_->CurrentTopology();
  if (!topology) return JsonError({Errc::kUnavailable, "this node is of no cluster yet"});
  const auto wanted = admin::MemberOperationFromJson(body);
  if (!wanted) return JsonError(wanted.error());
  const auto staged = StagedFromAdmin(*wanted, {topology.get(), handler_->Members()});
  if (!staged) return JsonError(staged.error());
  const auto plan = PlanChange(*topology, *staged);
  if (!plan) return JsonError(plan.error());
  return Json(HttpStatus::ok, ToJson(ToAdmin(*plan)));
}

// What the topology remembers, any node can tell.
Async<HttpResponse> AdminDoor::GetOperation(std::string id) {
  if (const auto repair = handler_->Repair(id)) co_return Json(HttpStatus::ok, ToJson(ToAdmin(*repair)));
  const auto found = operations_.find(id);
  admin::Operation operation = found == operations_.end() ? admin::Operation{} : found->second;
  const bool known = found != operations_.end();
  operation.id = id;
  const auto topology = handler_->CurrentTopology();
  if (topology && Describe({topology.get(), handler_->Members()}, &operation)) {
    if (operation.moved < operation.to_move) DescribeCopies(*topology, co_await handler_->Reports(), &operation);
    co_return Json(HttpStatus::ok, ToJson(operation));
  }
  if (!known) co_return JsonError({Errc::kNotFound, fmt::format("no operation '{}' is known", id)});
  co_return Json(HttpStatus::ok, ToJson(operation));
}

Async<HttpResponse> AdminDoor::PutOperation(std::string id, std::string body) {
  if (id.empty() || id.size() > 100) {
    co_return JsonError({Errc::kInvalidArgument, "an operation id has 1 to 100 characters"});
  }
  const std::string type = TypeOf(body);
  if (type == kRepair) co_return StartRepair(id, body);
  if (type != kCreate && type != kCreateType && !IsMemberOperation(type) && !IsLossOperation(type)) {
    co_return JsonError({Errc::kInvalidArgument,
                         "want a JSON object with \"type\": \"create\", \"create-bucket-type\", \"repair\", "
                         "\"join\", \"leave\", \"cancel\", \"replace\", \"capacity\", \"rebalance\", "
                         "\"forget\", \"change\", \"force-topology\" or \"accept-loss\""});
  }
  // What changes the topology is remembered there, at all nodes and for longer.
  const auto known = operations_.find(id);
  if (type == kCreate && known != operations_.end() && known->second.state != "failed") {
    co_return Json(HttpStatus::ok, ToJson(known->second));
  }
  if (known == operations_.end() && operations_.size() >= kOperationsMax) operations_.erase(operations_.begin());
  admin::Operation operation;
  operation.id = id;
  operation.type = type;
  operation.state = "running";
  operations_[id] = operation;
  const Status done = co_await Run(&operation, std::move(body));
  if (!done) {
    operation.state = "failed";
    operation.message = done.error().message;
  }
  operations_[id] = operation;
  if (!done) co_return JsonError(done.error());
  co_return Json(HttpStatus::ok, ToJson(operation));
}

Async<Status> AdminDoor::Run(admin::Operation* operation, std::string body) {
  const bool of_members = IsMemberOperation(operation->type) || IsLossOperation(operation->type);
  if (of_members) co_return co_await ChangeMember(operation, std::move(body));
  Status done;
  if (operation->type == kCreate) {
    done = co_await Create(operation, std::move(body));
  } else {
    done = co_await CreateType(operation, std::move(body));
  }
  if (done) operation->state = "done";
  co_return done;
}

Async<Status> AdminDoor::ChangeMember(admin::Operation* operation, std::string body) {
  auto topology = handler_->CurrentTopology();
  if (!topology) co_return Fail(Errc::kUnavailable, "this node is of no cluster yet");
  // Once it is decided, whom it named may be gone.
  if (Describe({topology.get(), handler_->Members()}, operation)) co_return Status{};
  auto change = ChangeOf(*operation, body, {topology.get(), handler_->Members()});
  if (!change) co_return Fail(change.error());
  const auto epoch = co_await handler_->Change(std::move(*change));
  if (!epoch) co_return Fail(epoch.error());
  operation->epoch = *epoch;
  operation->state = "done";
  operation->message = fmt::format("nothing had to change at epoch {}", *epoch);
  topology = handler_->CurrentTopology();
  if (topology) Describe({topology.get(), handler_->Members()}, operation);
  co_return Status{};
}

Async<Status> AdminDoor::Create(admin::Operation* operation, std::string body) {
  const auto wanted = admin::CreateOperationFromJson(body);
  if (!wanted) co_return Fail(wanted.error());
  auto request = FromAdmin(*wanted, operation->id);
  if (!request) co_return Fail(request.error());
  const auto created = co_await handler_->Create(std::move(*request));
  if (!created) co_return Fail(created.error());
  operation->cluster_id = ToString((*created)->cluster);
  operation->message =
      fmt::format("cluster of {} members, {} partitions", (*created)->members.size(), (*created)->partitions);
  co_return Status{};
}

Async<Status> AdminDoor::CreateType(admin::Operation* operation, std::string body) {
  const auto wanted = admin::CreateTypeOperationFromJson(body);
  if (!wanted) co_return Fail(wanted.error());
  auto change = FromAdmin(*wanted, operation->id);
  if (!change) co_return Fail(change.error());
  const auto epoch = co_await handler_->Change(std::move(*change));
  if (!epoch) co_return Fail(epoch.error());
  operation->epoch = *epoch;
  operation->message = fmt::format("bucket type {} since epoch {}", wanted->name, *epoch);
  if (const auto topology = handler_->CurrentTopology()) operation->cluster_id = ToString(topology->cluster);
  co_return Status{};
}

}  // namespace dynamo
