#include "node/core/version/context.h"

#include "common/base/check.h"

namespace dynamo {
namespace {

constexpr uint8_t kContextVersion = 1;
constexpr size_t kTagBytes = std::tuple_size_v<MacTag>;

// The length keeps the key and what is signed apart.
Bytes SignedText(std::string_view body, std::string_view storage_key) {
  Bytes text;
  text.reserve(body.size() + storage_key.size() + 10);
  ByteWriter writer(&text);
  writer.String(storage_key);
  writer.Raw(body);
  return text;
}

tl::unexpected<Error> Bad(std::string_view why) {
  return Fail(Errc::kBadContext, "causal context: " + std::string(why) + "; read the key again and use its context");
}

}  // namespace

ContextSigner::ContextSigner(const std::vector<ContextKey>& keys) {
  bool signs = false;
  for (const ContextKey& key : keys) {
    keys_.insert_or_assign(key.id, MacKey(key.secret));
    if (!key.signs || (signs && key.id < signing_id_)) continue;
    signing_id_ = key.id;
    signs = true;
  }
  DYNAMO_CHECK(signs);
}

Result<Bytes> ContextSigner::Sign(const CausalContext& context, std::string_view storage_key) const {
  Bytes token;
  ByteWriter writer(&token);
  writer.U8(kContextVersion);
  writer.U32(signing_id_);
  context.clock.EncodeTo(writer);
  writer.Varint(context.stamp);
  if (token.size() + kTagBytes > kContextBytesMax) {
    return Fail(Errc::kTooLarge, "the causal context of this key is " + std::to_string(token.size() + kTagBytes) +
                                     " bytes long, more than " + std::to_string(kContextBytesMax) +
                                     ": too many actors have written it");
  }
  const MacTag tag = keys_.at(signing_id_).Sign(SignedText(token, storage_key));
  token.append(tag.begin(), tag.end());
  return token;
}

Result<CausalContext> ContextSigner::Verify(std::string_view token, std::string_view storage_key) const {
  if (token.empty()) return CausalContext();
  if (token.size() > kContextBytesMax) return Bad("too large");
  if (token.size() < kTagBytes) return Bad("cut short");
  const std::string_view body = token.substr(0, token.size() - kTagBytes);
  ByteReader in(body);
  if (in.U8() != kContextVersion) return Bad("unknown version");
  const auto key = keys_.find(in.U32());
  if (!in.ok() || key == keys_.end()) return Bad("signed with a key that is not known here");
  if (!key->second.Verify(SignedText(body, storage_key), token.substr(body.size()))) {
    return Bad("altered, or of another key");
  }
  CausalContext context;
  context.clock = VersionVector::DecodeFrom(in);
  context.stamp = in.Varint();
  if (!in.at_end() || context.stamp > kCounterMax) return Bad("malformed");
  return context;
}

}  // namespace dynamo
