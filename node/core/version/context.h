// Signed causal contexts: opaque to clients, bound to the key they were read from.
//
// A forged context deletes data (it claims to have seen what the client never
// saw), so each carries a tag under a key from the topology's ring of keys.
#ifndef DYNAMO_NODE_CORE_VERSION_CONTEXT_H_
#define DYNAMO_NODE_CORE_VERSION_CONTEXT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/mac.h"
#include "common/base/result.h"
#include "node/core/version/object.h"

namespace dynamo {

// One key of the ring of keys. A new key first only verifies, everywhere; then it
// signs; an old one verifies until it is removed.
struct ContextKey {
  uint32_t id = 0;
  Bytes secret;
  bool signs = false;

  friend bool operator==(const ContextKey&, const ContextKey&) = default;
};

class ContextSigner {
 public:
  // At least one key must sign; among several the highest id does.
  explicit ContextSigner(const std::vector<ContextKey>& keys);

  // Token: version byte 1 | key id (4 bytes) | encoded context | 16-byte tag over
  // all before it and the storage key.
  // kTooLarge: it would be larger than kContextBytesMax, so that nobody could use it.
  Result<Bytes> Sign(const CausalContext& context, std::string_view storage_key) const;
  // kBadContext: cut, altered, signed with an unknown key, or of another key, or
  // larger than kContextBytesMax. An empty token is an empty context.
  Result<CausalContext> Verify(std::string_view token, std::string_view storage_key) const;

  static constexpr size_t kContextBytesMax = 256 * 1024;

 private:
  std::map<uint32_t, MacKey> keys_;
  uint32_t signing_id_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_CONTEXT_H_
