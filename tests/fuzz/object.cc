// Stored objects: what decodes encodes to the same bytes, and its header agrees.
#include "node/core/version/object.h"

#include "tests/fuzz/codec.h"

// The input is the body; see codec.h.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dynamo;
  const Bytes encoded = WithChecksum(AsBytes(data, size));
  const auto object = DecodeCanonical(encoded, DecodeObject, EncodeObject);
  const auto header = DecodeObjectHeader(encoded);
  DYNAMO_CHECK(object.has_value() == header.has_value());
  if (!object) return 0;
  DYNAMO_CHECK(HeaderOf(*object) == *header);
  DYNAMO_CHECK(Join(*object, *object) == *object);
  return 0;
}
