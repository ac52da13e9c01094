#include "node/service/planted_bugs.h"

namespace dynamo {

CausalContext TrustContext(std::string_view token) {
  ByteReader in(token);
  static_cast<void>(in.U8());
  static_cast<void>(in.U32());
  CausalContext context;
  context.clock = VersionVector::DecodeFrom(in);
  context.stamp = in.Varint();
  return in.ok() && context.stamp < kCounterMax ? context : CausalContext{};
}

}  // namespace dynamo
