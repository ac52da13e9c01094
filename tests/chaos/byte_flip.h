// A bit of a file that has turned over.
#ifndef DYNAMO_TESTS_CHAOS_BYTE_FLIP_H_
#define DYNAMO_TESTS_CHAOS_BYTE_FLIP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/random.h"
#include "common/base/result.h"

namespace dynamo::chaos {

struct ByteFlip {
  std::string path;
  uint64_t offset = 0;
  uint8_t before = 0;
};

// Flips one bit in one of the files in and under `folder` whose name ends so, files
// drawn by their size; nullopt: all such files are empty, or there is none.
Result<std::optional<ByteFlip>> FlipByte(const std::string& folder, const std::string& suffix, Rng& rng);
// Puts the byte back; false: the file is gone.
Result<bool> Restore(const ByteFlip& flip);

}  // namespace dynamo::chaos

#endif  // DYNAMO_TESTS_CHAOS_BYTE_FLIP_H_
