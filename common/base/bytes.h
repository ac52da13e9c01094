// Bounds-checked encoding and decoding of bytes that come from outside.
#ifndef DYNAMO_COMMON_BASE_BYTES_H_
#define DYNAMO_COMMON_BASE_BYTES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/hash.h"

namespace dynamo {

using Bytes = std::string;

// Appends to a string it does not own. Fixed-width numbers are big-endian, so
// that the order of bytes is the order of numbers.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes* out) : out_(out) {}

  void U8(uint8_t value) { out_->push_back(static_cast<char>(value)); }
  void U32(uint32_t value);
  void U64(uint64_t value);
  void Hash(const Hash128& hash);
  // LEB128: 1 to 10 bytes.
  void Varint(uint64_t value);
  // Varint length, then the bytes.
  void String(std::string_view value);
  void Raw(std::string_view value) { out_->append(value); }

 private:
  Bytes* out_;
};

// Reads what ByteWriter wrote. The first read past the end, or of a varint that
// is not in its shortest form, makes the reader fail for good: every later read
// returns zero or empty, and ok() says so once at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view data) : data_(data) {}

  uint8_t U8();
  uint32_t U32();
  uint64_t U64();
  Hash128 Hash();
  uint64_t Varint();
  // A view into the data given at construction.
  std::string_view String();
  std::string_view Raw(size_t size);
  // A count of items that take at least `bytes_each` bytes: fails if the rest
  // of the data cannot hold them, so a forged count allocates nothing.
  size_t Count(size_t bytes_each);

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && data_.empty(); }
  size_t remaining() const { return data_.size(); }
  void Invalidate() {
    ok_ = false;
    data_ = {};
  }

 private:
  std::string_view data_;
  bool ok_ = true;
};

// Lower-case hexadecimal.
std::string ToHex(std::string_view data);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_BYTES_H_
