#include "common/base/base64.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace dynamo {
namespace {

TEST(Base64, GivesTheExamplesOfTheRfc) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
}

RC_GTEST_PROP(Base64, WhatIsEncodedIsDecoded, (const std::string& data)) {
  RC_ASSERT(Base64Decode(Base64Encode(data)) == data);
}

TEST(Base64, RefusesWhatNoEncodingGives) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg==Zg==", "Zh==", "Z g==", "====", "Zm9v\n", "Zm9-"}) {
    EXPECT_FALSE(Base64Decode(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace dynamo
