// Two objects of one key that meet, whoever made them: their join is one.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hash.h"
#include "node/core/version/object.h"

namespace {

dynamo::Bytes WithChecksum(std::string_view body) {
  dynamo::Bytes encoded;
  dynamo::ByteWriter out(&encoded);
  out.U8(1);
  out.U64(dynamo::Checksum64(body));
  out.Raw(body);
  return encoded;
}

}  // namespace

// The input: a length byte, the first body of that length, the second body; see object.cc.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dynamo::ByteReader in(std::string_view(reinterpret_cast<const char*>(data), size));
  const dynamo::Bytes a = WithChecksum(in.Raw(in.U8()));
  const dynamo::Bytes b = WithChecksum(in.Raw(in.remaining()));
  const auto of_a = dynamo::DecodeObject(a);
  const auto of_b = dynamo::DecodeObject(b);
  const auto joined = dynamo::JoinEncoded(a, b);
  DYNAMO_CHECK(joined.has_value() == (of_a.has_value() && of_b.has_value()));
  if (!joined) return 0;
  DYNAMO_CHECK(*joined == dynamo::EncodeObject(dynamo::Join(*of_a, *of_b)));
  DYNAMO_CHECK(*joined == *dynamo::JoinEncoded(b, a));
  DYNAMO_CHECK(*joined == *dynamo::JoinEncoded(*joined, b));
  DYNAMO_CHECK(dynamo::Dominates(*of_a, *of_b) == (*joined == a));
  return 0;
}
