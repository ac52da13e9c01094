// Topologies that gossip brings: what decodes is canonical, and safe to walk and to sign with.
#include "node/core/ring/topology.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hash.h"
#include "node/core/ring/preference_list.h"

namespace {

void DecodeAndUse(uint8_t version, std::string_view body) {
  dynamo::Bytes encoded;
  dynamo::ByteWriter out(&encoded);
  out.U8(version);
  out.U64(dynamo::Checksum64(body));
  out.Raw(body);

  const auto topology = dynamo::DecodeTopology(encoded);
  if (!topology) return;
  DYNAMO_CHECK(dynamo::EncodeTopology(*topology) == encoded);
  const dynamo::ContextSigner signer(topology->context_keys);
  for (const auto& [name, type] : topology->types) {
    const dynamo::PreferenceList list = dynamo::WalkRing(*topology, topology->partitions - 1, type.n_val);
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
