#include "node/env/request_handler.h"

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace dynamo {

std::string EntityTagOf(const Sibling& sibling) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  Bytes dot;
  ByteWriter writer(&dot);
  writer.U64(sibling.dot.actor.value);
  writer.U64(sibling.dot.counter);
  const Hash128 hash = HashOf(dot);
  std::string tag;
  for (uint64_t half : {hash.high, hash.low}) {
    for (int i = 0; i < 11; ++i, half /= 62) tag += kAlphabet[half % 62];
  }
  return tag;
}

}  // namespace dynamo
