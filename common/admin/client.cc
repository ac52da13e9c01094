#include "common/admin/client.h"

#include <fmt/format.h>
#include <httplib.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "common/admin/http_client.h"

namespace dynamo::admin {
namespace {

constexpr char kJson[] = "application/json";

std::string ErrorText(const httplib::Response& response) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(response.body, error);
  if (!error && parsed.is_object()) {
    const boost::json::value* text = parsed.get_object().if_contains("error");
    if (text != nullptr && text->is_string()) return std::string(text->get_string());
  }
  return response.body.empty() ? fmt::format("HTTP status {}", response.status) : response.body;
}

}  // namespace

struct Client::State {
  std::string endpoint;
  std::unique_ptr<httplib::Client> http;

  State(const Endpoint& where, std::chrono::milliseconds timeout)
      : endpoint(WithScheme(where.url)), http(MakeHttpClient(where)) {
    http->set_connection_timeout(timeout);
    http->set_read_timeout(timeout);
    http->set_write_timeout(timeout);
  }

  Result<std::string> Check(const httplib::Result& result, const std::string& path) const {
    if (!result) {
      const bool late = result.error() == httplib::Error::Read;
      return Fail(late ? Errc::kTimeout : Errc::kUnavailable,
                  fmt::format("no answer from the admin API at {}{}: {}", endpoint, path, to_string(result.error())));
    }
    if (result->status / 100 != 2) return Fail(CodeOf(result->status), ErrorText(*result));
    return result->body;
  }
  Result<std::string> Get(const std::string& path) { return Check(http->Get(path.c_str()), path); }
  Result<std::string> Put(const std::string& path, const std::string& body) {
    return Check(http->Put(path.c_str(), body, kJson), path);
  }
};

Client::Client(const Endpoint& endpoint, std::chrono::milliseconds timeout)
    : state_(std::make_unique<State>(endpoint, timeout)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Identity> Client::GetIdentity() { return state_->Get("/identity").and_then(IdentityFromJson); }
Result<Members> Client::GetMembers() { return state_->Get("/members").and_then(MembersFromJson); }
Result<Topology> Client::GetTopology() { return state_->Get("/topology").and_then(TopologyFromJson); }
Result<Hints> Client::GetHints() { return state_->Get("/hints").and_then(HintsFromJson); }
Result<std::string> Client::GetMetrics() { return state_->Get("/metrics"); }

Result<Location> Client::Locate(const std::string& type, const std::string& bucket, const std::string& key) {
  const httplib::Params params{{"type", type}, {"bucket", bucket}, {"key", key}};
  return state_->Check(state_->http->Get("/locate", params, httplib::Headers{}), "/locate").and_then(LocationFromJson);
}

Result<bool> Client::IsReady() {
  const auto answer = state_->http->Get("/readyz");
  if (answer && (answer->status == 200 || answer->status == 503)) return answer->status == 200;
  return Fail(state_->Check(answer, "/readyz").error());
}

Result<Operation> Client::Create(const std::string& operation_id, const CreateOperation& operation) {
  boost::json::value body = ToJson(operation);
  body.get_object()["type"] = "create";
  return state_->Put("/operations/" + operation_id, boost::json::serialize(body)).and_then(OperationFromJson);
}

Result<Repair> Client::StartRepair(const std::string& operation_id, const RepairOperation& operation) {
  boost::json::value body = ToJson(operation);
  body.get_object()["type"] = "repair";
  return state_->Put("/operations/" + operation_id, boost::json::serialize(body)).and_then(RepairFromJson);
}

Result<Repair> Client::GetRepair(const std::string& operation_id) {
  return state_->Get("/operations/" + operation_id).and_then(RepairFromJson);
}

Result<Operation> Client::CreateType(const std::string& operation_id, const CreateTypeOperation& operation) {
  boost::json::value body = ToJson(operation);
  body.get_object()["type"] = "create-bucket-type";
  return state_->Put("/operations/" + operation_id, boost::json::serialize(body)).and_then(OperationFromJson);
}

Result<Operation> Client::Start(const std::string& operation_id, const boost::json::object& request) {
  return state_->Put("/operations/" + operation_id, boost::json::serialize(request)).and_then(OperationFromJson);
}

Result<Operation> Client::Change(const std::string& operation_id, const std::string& type,
                                 const MemberOperation& operation) {
  boost::json::value body = ToJson(operation);
  body.get_object()["type"] = type;
  return state_->Put("/operations/" + operation_id, boost::json::serialize(body)).and_then(OperationFromJson);
}

Result<Safety> Client::GetSafety(const std::string& without) {
  httplib::Params params;
  if (!without.empty()) params.emplace("without", without);
  return state_->Check(state_->http->Get("/safety", params, httplib::Headers{}), "/safety").and_then(SafetyFromJson);
}

Result<Plan> Client::GetPlan(const MemberOperation& staged) {
  return state_->Put("/plan", boost::json::serialize(ToJson(staged))).and_then(PlanFromJson);
}

Result<Operation> Client::GetOperation(const std::string& operation_id) {
  return state_->Get("/operations/" + operation_id).and_then(OperationFromJson);
}

}  // namespace dynamo::admin
