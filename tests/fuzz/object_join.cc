// Two objects of one key that meet, whoever made them: their join is one.
#include "node/core/version/object.h"
#include "tests/fuzz/codec.h"

// The input: a length byte, the first body of that length, the second body; see codec.h.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dynamo;
  ByteReader in(AsBytes(data, size));
  const Bytes a = WithChecksum(in.Raw(in.U8()));
  const Bytes b = WithChecksum(in.Raw(in.remaining()));
  const auto of_a = DecodeObject(a);
  const auto of_b = DecodeObject(b);
  const auto joined = JoinEncoded(a, b);
  DYNAMO_CHECK(joined.has_value() == (of_a.has_value() && of_b.has_value()));
  if (!joined) return 0;
  DYNAMO_CHECK(*joined == EncodeObject(Join(*of_a, *of_b)));
  DYNAMO_CHECK(*joined == *JoinEncoded(b, a));
  DYNAMO_CHECK(*joined == *JoinEncoded(*joined, b));
  DYNAMO_CHECK(Dominates(*of_a, *of_b) == (*joined == a));
  return 0;
}
