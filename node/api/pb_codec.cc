#include "node/api/pb_codec.h"

#include <fmt/format.h>

#include <utility>

#include "node/api/riak_values.h"

namespace dynamo {
namespace {

void PairsToPb(const std::vector<std::pair<std::string, std::string>>& pairs,
               google::protobuf::RepeatedPtrField<riak::Pair>* out) {
  for (const auto& [key, value] : pairs) {
    riak::Pair* pair = out->Add();
    pair->set_key(key);
    pair->set_value(value);
  }
}

std::vector<std::pair<std::string, std::string>> PairsFromPb(google::protobuf::RepeatedPtrField<riak::Pair>& pairs) {
  std::vector<std::pair<std::string, std::string>> out;
  for (riak::Pair& pair : pairs) {
    out.emplace_back(std::move(*pair.mutable_key()), std::move(*pair.mutable_value()));
  }
  return out;
}

}  // namespace

Result<size_t> ParsePbLength(std::string_view length_bytes, size_t bytes_max) {
  ByteReader reader(length_bytes);
  const size_t length = reader.U32();
  if (!reader.at_end() || length == 0) return Fail(Errc::kInvalidArgument, "a message has at least its code");
  if (length > bytes_max) {
    return Fail(Errc::kTooLarge, fmt::format("message of {} bytes: the limit is {}", length, bytes_max));
  }
  return length;
}

Bytes EncodePbFrame(PbCode code, std::string_view body) {
  Bytes out;
  out.reserve(kPbLengthBytes + 1 + body.size());
  ByteWriter writer(&out);
  writer.U32(static_cast<uint32_t>(1 + body.size()));
  writer.U8(static_cast<uint8_t>(code));
  writer.Raw(body);
  return out;
}

Bytes EncodePbFrame(PbCode code, const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  Bytes out;
  out.reserve(kPbLengthBytes + 1 + size);
  ByteWriter writer(&out);
  writer.U32(static_cast<uint32_t>(1 + size));
  writer.U8(static_cast<uint8_t>(code));
  message.AppendToString(&out);
  return out;
}

Bytes EncodePbError(std::string_view message) {
  riak::ErrorResp error;
  error.set_errmsg(std::string(message));
  error.set_errcode(0);
  return EncodePbFrame(PbCode::kErrorResp, error);
}

Status ParsePb(std::string_view body, google::protobuf::MessageLite* message) {
  if (!message->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Fail(Errc::kInvalidArgument, fmt::format("malformed {}", message->GetTypeName()));
  }
  return {};
}

Content ContentFromPb(riak::Content content) {
  Content out;
  out.value = std::move(*content.mutable_value());
  out.content_type = std::move(*content.mutable_content_type());
  out.charset = std::move(*content.mutable_charset());
  out.content_encoding = std::move(*content.mutable_content_encoding());
  out.user_metadata = PairsFromPb(*content.mutable_usermeta());
  out.indexes = PairsFromPb(*content.mutable_indexes());
  for (riak::Link& link : *content.mutable_links()) {
    out.links.push_back(
        {std::move(*link.mutable_bucket()), std::move(*link.mutable_key()), std::move(*link.mutable_tag())});
  }
  return out;
}

void ContentToPb(const Sibling& sibling, bool head, riak::Content* out) {
  const Content& content = sibling.content;
  // Clients demand the field even where there is nothing in it.
  out->set_value(head ? std::string() : content.value);
  if (!content.content_type.empty()) out->set_content_type(content.content_type);
  if (!content.charset.empty()) out->set_charset(content.charset);
  if (!content.content_encoding.empty()) out->set_content_encoding(content.content_encoding);
  out->set_vtag(EntityTagOf(sibling));
  out->set_last_mod(static_cast<uint32_t>(sibling.last_modified_us / 1'000'000));
  out->set_last_mod_usecs(static_cast<uint32_t>(sibling.last_modified_us % 1'000'000));
  PairsToPb(content.user_metadata, out->mutable_usermeta());
  PairsToPb(content.indexes, out->mutable_indexes());
  for (const Content::Link& link : content.links) {
    riak::Link* added = out->add_links();
    added->set_bucket(link.bucket);
    added->set_key(link.key);
    added->set_tag(link.tag);
  }
  if (sibling.tombstone) out->set_deleted(true);
}

void PropertiesToPb(const BucketProperties& properties, riak::BucketProps* out) {
  out->set_n_val(properties.n_val);
  out->set_allow_mult(properties.policy == ConflictPolicy::kSiblings);
  out->set_last_write_wins(properties.policy == ConflictPolicy::kLastWriterWins);
  out->set_has_precommit(false);
  out->set_has_postcommit(false);
  out->mutable_chash_keyfun()->set_module("riak_core_util");
  out->mutable_chash_keyfun()->set_function("chash_std_keyfun");
  out->set_pr(QuorumToWire(properties.pr));
  out->set_r(QuorumToWire(properties.r));
  out->set_w(QuorumToWire(properties.w));
  out->set_pw(QuorumToWire(properties.pw));
  out->set_dw(QuorumToWire(properties.dw));
  out->set_rw(QuorumToWire(properties.rw));
  out->set_basic_quorum(properties.basic_quorum);
  out->set_notfound_ok(properties.notfound_ok);
  out->set_node_confirms(QuorumToWire(properties.node_confirms));
}

Result<BucketPropertiesChange> PropertiesFromPb(const riak::BucketProps& wanted, const BucketProperties& today) {
  const bool siblings = today.policy == ConflictPolicy::kSiblings;
  if ((wanted.has_n_val() && wanted.n_val() != today.n_val) ||
      (wanted.has_allow_mult() && wanted.allow_mult() != siblings) ||
      (wanted.has_last_write_wins() && wanted.last_write_wins() && siblings)) {
    return Fail(Errc::kInvalidArgument,
                "Invalid bucket properties: n_val, allow_mult and last_write_wins are fixed by the bucket type; use a "
                "bucket of type 'siblings' or 'lww'");
  }
  BucketPropertiesChange change;
  if (wanted.has_r()) change.r = QuorumFromWire(wanted.r());
  if (wanted.has_w()) change.w = QuorumFromWire(wanted.w());
  if (wanted.has_dw()) change.dw = QuorumFromWire(wanted.dw());
  if (wanted.has_rw()) change.rw = QuorumFromWire(wanted.rw());
  if (wanted.has_pr()) change.pr = QuorumFromWire(wanted.pr());
  if (wanted.has_pw()) change.pw = QuorumFromWire(wanted.pw());
  if (wanted.has_node_confirms()) change.node_confirms = QuorumFromWire(wanted.node_confirms());
  if (wanted.has_basic_quorum()) change.basic_quorum = wanted.basic_quorum();
  if (wanted.has_notfound_ok()) change.notfound_ok = wanted.notfound_ok();
  return change;
}

}  // namespace dynamo
