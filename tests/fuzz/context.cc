// Tokens that clients send as contexts: only what this cluster signed verifies.
#include "node/core/version/context.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/check.h"

namespace {

constexpr std::string_view kStorageKey = "a storage key";

const dynamo::ContextSigner& Signer() {
  static const dynamo::ContextSigner signer({{.id = 1, .secret = std::string(32, 'k'), .signs = true}});
  return signer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const auto context = Signer().Verify(token, kStorageKey);
  // What verifies was signed here, and there is one token for each context.
  if (context && !context->empty()) DYNAMO_CHECK(Signer().Sign(*context, kStorageKey) == token);
  return 0;
}
