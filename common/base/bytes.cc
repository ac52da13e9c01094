#include "common/base/bytes.h"

namespace dynamo {

namespace {

// One append a number, not one a byte: hashes of trees are written by the million.
template <typename Number>
void AppendBigEndian(Number value, Bytes* out) {
  char bytes[sizeof(value)];
  for (size_t i = sizeof(value); i > 0; value >>= 8) bytes[--i] = static_cast<char>(value);
  out->append(bytes, sizeof(value));
}

}  // namespace

void ByteWriter::U32(uint32_t value) { AppendBigEndian(value, out_); }

void ByteWriter::U64(uint64_t value) { AppendBigEndian(value, out_); }

void ByteWriter::Hash(const Hash128& hash) {
  U64(hash.high);
  U64(hash.low);
}

void ByteWriter::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) U8(static_cast<uint8_t>(value | 0x80));
  U8(static_cast<uint8_t>(value));
}

void ByteWriter::String(std::string_view value) {
  Varint(value.size());
  Raw(value);
}

std::string_view ByteReader::Raw(size_t size) {
  if (size > data_.size()) {
    Invalidate();
    return {};
  }
  const std::string_view out = data_.substr(0, size);
  data_.remove_prefix(size);
  return out;
}

uint8_t ByteReader::U8() {
  const std::string_view byte = Raw(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
}

uint32_t ByteReader::U32() {
  uint32_t value = 0;
  for (char byte : Raw(4)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

uint64_t ByteReader::U64() {
  uint64_t value = 0;
  for (char byte : Raw(8)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

Hash128 ByteReader::Hash() {
  const uint64_t high = U64();
  const uint64_t low = U64();
  return {high, low};
}

uint64_t ByteReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = U8();
    if (!ok_) return 0;
    const bool overflows = shift == 63 && byte > 1;
    const bool overlong = shift > 0 && byte == 0;
    if (overflows || overlong) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  Invalidate();
  return 0;
}

std::string_view ByteReader::String() {
  const uint64_t size = Varint();
  return Raw(size);
}

size_t ByteReader::Count(size_t bytes_each) {
  const uint64_t count = Varint();
  if (count > data_.size() / bytes_each) {
    Invalidate();
    return 0;
  }
  return count;
}

std::string ToHex(std::string_view data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * data.size());
  for (char c : data) {
    const auto byte = static_cast<uint8_t>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace dynamo
