// Topologies that gossip brings: what decodes is canonical, and safe to walk and to sign with.
#include "node/core/ring/topology.h"

#include "node/core/ring/preference_list.h"
#include "tests/fuzz/codec.h"

namespace {

using namespace dynamo;

void DecodeAndUse(uint8_t version, std::string_view body) {
  const auto topology = DecodeCanonical(WithChecksum(body, version), DecodeTopology, EncodeTopology);
  if (!topology) return;
  const ContextSigner signer(topology->context_keys);
  for (const auto& [name, type] : topology->types) {
    const PreferenceList list = WalkRing(*topology, topology->partitions - 1, type.n_val);
    DYNAMO_CHECK(!list.owners.empty() && list.owners.size() <= type.n_val);
    DYNAMO_CHECK(list.owners.size() + list.fallbacks.size() <= topology->members.size());
  }
}

}  // namespace

// The input is what follows the version and the checksum, which would keep a fuzzer out.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  DecodeAndUse(1, body);
  DecodeAndUse(2, body);
  return 0;
}
