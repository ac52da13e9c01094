#include "common/users/password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/base64.h"

namespace dynamo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Password, HashesAsTheRfcsTestVectorSays) {
  // RFC 7914, section 11: "passwd", "salt", one iteration; its first 32 bytes.
  const PasswordHash hash = HashPassword("passwd", "salt", 1);
  EXPECT_EQ(Base64Encode(hash.hash), "VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=");
}

TEST(Password, OnlyThePasswordIsRight) {
  const PasswordHash hash = HashPassword("open sesame", NewSalt(), 3);
  EXPECT_TRUE(IsPassword(hash, "open sesame"));
  for (const char* wrong : {"", "open", "open sesame ", "Open sesame"}) EXPECT_FALSE(IsPassword(hash, wrong));
  PasswordHash none = hash;
  none.hash.clear();
  EXPECT_FALSE(IsPassword(none, "open sesame"));
}

TEST(Password, ItsTextIsReadBackAndTheSaltIsNeverTheSame) {
  EXPECT_NE(NewSalt(), NewSalt());
  const PasswordHash hash = HashPassword("p", NewSalt(), 7);
  EXPECT_THAT(ToText(hash), StartsWith("pbkdf2-sha256$7$"));
  const auto parsed = ParsePasswordHash(ToText(hash));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, hash);
}

TEST(Password, ATextOfAnotherFormIsRefusedWithoutRepeatingIt) {
  const std::string good = ToText(HashPassword("p", "salt", 7));
  const std::string hash = good.substr(good.rfind('$') + 1);
  for (const std::string& wrong :
       {std::string(), std::string("secret"), std::string("md5$1$c2FsdA==$") + hash, "pbkdf2-sha256$0$c2FsdA==$" + hash,
        "pbkdf2-sha256$10000001$c2FsdA==$" + hash, "pbkdf2-sha256$1x$c2FsdA==$" + hash, "pbkdf2-sha256$1$$" + hash,
        "pbkdf2-sha256$1$?$" + hash, good + "$", good.substr(0, good.size() - 4),
        std::string("pbkdf2-sha256$1$c2FsdA==")}) {
    const auto parsed = ParsePasswordHash(wrong);
    ASSERT_FALSE(parsed) << wrong;
    if (!wrong.empty()) EXPECT_THAT(parsed.error().message, Not(HasSubstr(wrong)));
  }
}

}  // namespace
}  // namespace dynamo
