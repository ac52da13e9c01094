// Tokens that clients send as contexts: only what this cluster signed verifies.
#include "node/core/version/context.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/mac.h"

namespace {

constexpr std::string_view kStorageKey = "a storage key";
const std::string kSecret(32, 'k');

const dynamo::ContextSigner& Signer() {
  static const dynamo::ContextSigner signer({{.id = 1, .secret = kSecret, .signs = true}});
  return signer;
}

// There is one token for each context.
void CheckToken(std::string_view token) {
  const auto context = Signer().Verify(token, kStorageKey);
  if (context && !token.empty()) DYNAMO_CHECK(*Signer().Sign(*context, kStorageKey) == token);
}

// The tag keeps a fuzzer out of what it signs, so this puts the right one on.
dynamo::Bytes WithTag(std::string_view body) {
  static const dynamo::MacKey key(kSecret);
  dynamo::Bytes text;
  dynamo::ByteWriter writer(&text);
  writer.String(kStorageKey);
  writer.Raw(body);
  const dynamo::MacTag tag = key.Sign(text);
  dynamo::Bytes token(body);
  token.append(tag.begin(), tag.end());
  return token;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckToken(input);
  CheckToken(WithTag(input));
  return 0;
}
