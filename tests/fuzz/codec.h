// What all targets over one of our checksummed codecs share.
#ifndef DYNAMO_TESTS_FUZZ_CODEC_H_
#define DYNAMO_TESTS_FUZZ_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hash.h"

namespace dynamo {

inline std::string_view AsBytes(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The version, the right checksum, the body: with these in the way a fuzzer would
// hardly ever reach what is behind them.
inline Bytes WithChecksum(std::string_view body, uint8_t version = 1) {
  Bytes encoded;
  ByteWriter out(&encoded);
  out.U8(version);
  out.U64(Checksum64(body));
  out.Raw(body);
  return encoded;
}

// What decodes is canonical: it encodes to the bytes it came from. nullopt: refused.
template <class Decode, class Encode>
auto DecodeCanonical(std::string_view encoded, Decode decode, Encode encode) {
  auto decoded = decode(encoded);
  if (decoded) DYNAMO_CHECK(encode(*decoded) == encoded);
  return decoded;
}

}  // namespace dynamo

#endif  // DYNAMO_TESTS_FUZZ_CODEC_H_
