#include <fmt/format.h>

#include <utility>

#include "node/api/pb_door.h"
#include "node/api/riak_values.h"

namespace dynamo {
namespace {

constexpr char kDefaultType[] = "default";

// An absent type is the default one; an empty one is an error.
std::string TypeOf(bool present, std::string type) { return present ? std::move(type) : kDefaultType; }

template <class Request>
std::optional<Duration> TimeoutOf(const Request& request) {
  if (!request.has_timeout()) return std::nullopt;
  return std::chrono::milliseconds(request.timeout());
}

template <class Message>
ReadOptions ReadOptionsOf(const Message& request) {
  ReadOptions options;
  if (request.has_r()) options.r = QuorumFromWire(request.r());
  if (request.has_pr()) options.pr = QuorumFromWire(request.pr());
  if (request.has_sloppy_quorum()) options.sloppy_quorum = request.sloppy_quorum();
  if (request.has_n_val()) options.n_val = request.n_val();
  options.timeout = TimeoutOf(request);
  return options;
}

template <class Message>
WriteOptions WriteOptionsOf(const Message& request) {
  WriteOptions options;
  if (request.has_w()) options.w = QuorumFromWire(request.w());
  if (request.has_dw()) options.dw = QuorumFromWire(request.dw());
  if (request.has_pw()) options.pw = QuorumFromWire(request.pw());
  if (request.has_sloppy_quorum()) options.sloppy_quorum = request.sloppy_quorum();
  if (request.has_n_val()) options.n_val = request.n_val();
  options.timeout = TimeoutOf(request);
  return options;
}

void ContentsToPb(const Object& object, bool head, google::protobuf::RepeatedPtrField<riak::Content>* out) {
  for (const Sibling* sibling : SortedSiblings(object)) ContentToPb(*sibling, head, out->Add());
}

Bytes EncodeError(const Error& error) { return EncodePbError(RiakErrorText(error)); }

// Codes of Riak's API that this version knows of and does not serve.
std::optional<std::string_view> NameOfUnsupported(uint8_t code) {
  switch (code) {
    case 15: return "listing buckets";
    case 17: return "listing keys";
    case 23: return "map-reduce";
    case 25: return "secondary indexes";
    case 27: return "search";
    case 33: return "preference lists by Protocol Buffers";
    case 50:
    case 52: return "counters";
    case 80:
    case 82: return "data types";
    default: return std::nullopt;
  }
}

}  // namespace

bool PbSession::HasUser() const { return user_ && env_.guard->Knows(*user_); }

std::optional<Bytes> PbSession::Refuse(Permission permission, GrantTarget target) const {
  if (env_.guard == nullptr) return std::nullopt;
  // Without a user nothing comes this far.
  const auto denial = env_.guard->Deny(ClientGuard::Door::kPb, user_.value_or(UserIdentity{}), permission, target);
  return denial ? std::optional(EncodePbError(*denial)) : std::nullopt;
}

Async<Bytes> PbSession::Answer(uint8_t code, Bytes body) {
  switch (static_cast<PbCode>(code)) {
    case PbCode::kPingReq: co_return EncodePbFrame(PbCode::kPingResp, std::string_view());
    case PbCode::kGetServerInfoReq: co_return ServerInfo();
    case PbCode::kGetClientIdReq: {
      riak::ClientId answer;
      answer.set_client_id(client_id_);
      co_return EncodePbFrame(PbCode::kGetClientIdResp, answer);
    }
    case PbCode::kSetClientIdReq: {
      riak::ClientId request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      client_id_ = request.client_id();
      co_return EncodePbFrame(PbCode::kSetClientIdResp, std::string_view());
    }
    case PbCode::kGetReq: {
      riak::GetReq request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      co_return co_await Get(std::move(request));
    }
    case PbCode::kPutReq: {
      riak::PutReq request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      co_return co_await Put(std::move(request));
    }
    case PbCode::kDelReq: {
      riak::DelReq request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      co_return co_await Delete(std::move(request));
    }
    case PbCode::kStartTls: co_return EncodePbError("Security not enabled; STARTTLS not allowed.");
    default: co_return co_await AnswerProperties(static_cast<PbCode>(code), std::move(body));
  }
}

Async<Bytes> PbSession::AnswerProperties(PbCode code, Bytes body) {
  switch (code) {
    case PbCode::kGetBucketReq:
    case PbCode::kResetBucketReq: {
      riak::GetBucketReq request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      std::string type = TypeOf(request.has_type(), request.type());
      const bool get = code == PbCode::kGetBucketReq;
      const Permission permission = get ? Permission::kGetBucket : Permission::kSetBucket;
      if (auto refusal = Refuse(permission, {type, request.bucket()})) co_return std::move(*refusal);
      if (get) co_return GetProperties(type, request.bucket());
      co_return co_await ResetProperties(std::move(type), request.bucket());
    }
    case PbCode::kSetBucketReq: {
      riak::SetBucketReq request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      std::string type = TypeOf(request.has_type(), request.type());
      if (auto refusal = Refuse(Permission::kSetBucket, {type, request.bucket()})) co_return std::move(*refusal);
      co_return co_await SetProperties(std::move(type), request.bucket(), request.props(), PbCode::kSetBucketResp);
    }
    case PbCode::kGetBucketTypeReq: {
      riak::GetBucketTypeReq request;
      if (auto parsed = ParsePb(body, &request); !parsed) co_return EncodeError(parsed.error());
      if (auto refusal = Refuse(Permission::kGetBucketType, {request.type(), ""})) co_return std::move(*refusal);
      co_return GetProperties(request.type(), "");
    }
    case PbCode::kSetBucketTypeReq:
      co_return EncodePbError(
          "Invalid bucket properties: a bucket type is changed by an administrator, not by a client");
    default: break;
  }
  const auto number = static_cast<uint8_t>(code);
  if (const auto name = NameOfUnsupported(number)) {
    co_return EncodePbError(fmt::format("Message code {} ({}) is not supported by this server", number, *name));
  }
  co_return EncodePbError(fmt::format("Unknown message code: {}", number));
}

Async<Bytes> PbSession::Get(riak::GetReq request) {
  GetRequest get;
  get.key = {TypeOf(request.has_type(), request.type()), request.bucket(), request.key()};
  if (auto valid = ValidateKey(get.key, env_.limits); !valid) co_return EncodeError(valid.error());
  if (auto refusal = Refuse(Permission::kGet, {get.key.type, get.key.bucket})) co_return std::move(*refusal);
  get.options = ReadOptionsOf(request);
  if (request.has_basic_quorum()) get.options.basic_quorum = request.basic_quorum();
  if (request.has_notfound_ok()) get.options.notfound_ok = request.notfound_ok();
  if (request.has_node_confirms()) get.options.node_confirms = QuorumFromWire(request.node_confirms());

  const Result<GetReply> reply = co_await env_.handler->Get(std::move(get));
  if (!reply) co_return EncodeError(reply.error());
  riak::GetResp answer;
  if (reply->object.deleted()) {
    if (request.deletedvclock()) answer.set_vclock(reply->context);
  } else if (!reply->object.never_written()) {
    answer.set_vclock(reply->context);
    if (request.has_if_modified() && request.if_modified() == reply->context) {
      answer.set_unchanged(true);
    } else {
      ContentsToPb(reply->object, request.head(), answer.mutable_content());
    }
  }
  co_return EncodePbFrame(PbCode::kGetResp, answer);
}

Async<Bytes> PbSession::Put(riak::PutReq request) {
  if (!request.has_content()) co_return EncodePbError("RpbPutReq has no content");
  const bool generate = !request.has_key();
  PutRequest put;
  put.key = {TypeOf(request.has_type(), request.type()), request.bucket(),
             generate ? GenerateKey(*env_.random) : request.key()};
  if (auto valid = ValidateKey(put.key, env_.limits); !valid) co_return EncodeError(valid.error());
  if (auto refusal = Refuse(Permission::kPut, {put.key.type, put.key.bucket})) co_return std::move(*refusal);
  put.content = ContentFromPb(std::move(*request.mutable_content()));
  put.context = request.vclock();
  put.options = WriteOptionsOf(request);
  if (request.has_node_confirms()) put.options.node_confirms = QuorumFromWire(request.node_confirms());
  if (request.if_none_match()) {
    put.condition = {PutCondition::Kind::kAbsent, {}};
  } else if (request.if_not_modified()) {
    put.condition = {PutCondition::Kind::kUnmodified, request.vclock()};
  }
  put.return_object = request.return_body() || request.return_head();
  std::string key = put.key.key;

  const Result<PutReply> reply = co_await env_.handler->Put(std::move(put));
  if (!reply) co_return EncodeError(reply.error());
  riak::PutResp answer;
  if (generate) answer.set_key(std::move(key));
  if (reply->object) {
    answer.set_vclock(reply->context);
    ContentsToPb(*reply->object, !request.return_body(), answer.mutable_content());
  }
  co_return EncodePbFrame(PbCode::kPutResp, answer);
}

Async<Bytes> PbSession::Delete(riak::DelReq request) {
  DeleteRequest erase;
  erase.key = {TypeOf(request.has_type(), request.type()), request.bucket(), request.key()};
  if (auto valid = ValidateKey(erase.key, env_.limits); !valid) co_return EncodeError(valid.error());
  if (auto refusal = Refuse(Permission::kDelete, {erase.key.type, erase.key.bucket})) co_return std::move(*refusal);
  erase.context = request.vclock();
  erase.read_options = ReadOptionsOf(request);
  erase.options = WriteOptionsOf(request);
  // `rw` is the old name for both quorums of a delete.
  if (request.has_rw() && !request.has_r()) erase.read_options.r = QuorumFromWire(request.rw());
  if (request.has_rw() && !request.has_w()) erase.options.w = QuorumFromWire(request.rw());

  const Status done = co_await env_.handler->Delete(std::move(erase));
  if (!done) co_return EncodeError(done.error());
  co_return EncodePbFrame(PbCode::kDelResp, std::string_view());
}

Bytes PbSession::ServerInfo() const {
  riak::ServerInfoResp answer;
  answer.set_node(env_.node_name);
  answer.set_server_version(kRiakApiVersion);
  return EncodePbFrame(PbCode::kGetServerInfoResp, answer);
}

Bytes PbSession::GetProperties(const std::string& type, const std::string& bucket) {
  const Result<BucketProperties> properties = env_.handler->GetProperties(type, bucket);
  if (!properties) return EncodeError(properties.error());
  riak::GetBucketResp answer;
  PropertiesToPb(*properties, answer.mutable_props());
  return EncodePbFrame(PbCode::kGetBucketResp, answer);
}

Async<Bytes> PbSession::SetProperties(std::string type, std::string bucket, riak::BucketProps wanted, PbCode answer) {
  const Result<BucketProperties> today = env_.handler->GetProperties(type, bucket);
  if (!today) co_return EncodeError(today.error());
  const Result<BucketPropertiesChange> change = PropertiesFromPb(wanted, *today);
  if (!change) co_return EncodeError(change.error());
  const Status done = co_await env_.handler->SetProperties(std::move(type), std::move(bucket), *change);
  if (!done) co_return EncodeError(done.error());
  co_return EncodePbFrame(answer, std::string_view());
}

Async<Bytes> PbSession::ResetProperties(std::string type, std::string bucket) {
  BucketPropertiesChange change;
  change.reset = true;
  const Status done = co_await env_.handler->SetProperties(std::move(type), std::move(bucket), change);
  if (!done) co_return EncodeError(done.error());
  co_return EncodePbFrame(PbCode::kResetBucketResp, std::string_view());
}

}  // namespace dynamo
