#include "common/base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dynamo {
namespace {

RC_GTEST_PROP(Bytes, WhatIsWrittenIsRead, (uint64_t varint, const std::string& text, uint64_t fixed, uint32_t small)) {
  Bytes out;
  ByteWriter writer(&out);
  writer.Varint(varint);
  writer.String(text);
  writer.U64(fixed);
  writer.U32(small);
  ByteReader reader(out);
  RC_ASSERT(reader.Varint() == varint);
  RC_ASSERT(reader.String() == text);
  RC_ASSERT(reader.U64() == fixed);
  RC_ASSERT(reader.U32() == small);
  RC_ASSERT(reader.at_end());
}

TEST(ByteReader, FailsForGoodOnTheFirstReadPastTheEnd) {
  ByteReader reader("abc");
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.U8(), 0);
  EXPECT_FALSE(reader.at_end());
}

TEST(ByteReader, RefusesAVarintThatIsNotInItsShortestForm) {
  ByteReader overlong(std::string_view("\x80\x00", 2));
  overlong.Varint();
  EXPECT_FALSE(overlong.ok());
  ByteReader too_large("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  too_large.Varint();
  EXPECT_FALSE(too_large.ok());
}

TEST(ByteReader, AForgedCountAllocatesNothing) {
  Bytes out;
  ByteWriter(&out).Varint(1'000'000'000);
  ByteReader reader(out);
  EXPECT_EQ(reader.Count(16), 0u);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace dynamo
