// Stored objects: what decodes encodes to the same bytes, and its header agrees.
#include "node/core/version/object.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hash.h"

// The input is what follows the version and the checksum, which would keep a fuzzer out.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  dynamo::Bytes encoded;
  dynamo::ByteWriter out(&encoded);
  out.U8(1);
  out.U64(dynamo::Checksum64(body));
  encoded.append(body);

  const auto object = dynamo::DecodeObject(encoded);
  const auto header = dynamo::DecodeObjectHeader(encoded);
  DYNAMO_CHECK(object.has_value() == header.has_value());
  if (!object) return 0;
  DYNAMO_CHECK(dynamo::EncodeObject(*object) == encoded);
  DYNAMO_CHECK(dynamo::HeaderOf(*object) == *header);
  DYNAMO_CHECK(dynamo::Join(*object, *object) == *object);
  return 0;
}
