// Passwords as they are kept: PBKDF2 with HMAC-SHA-256 (RFC 8018).
#ifndef DYNAMO_COMMON_USERS_PASSWORD_H_
#define DYNAMO_COMMON_USERS_PASSWORD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace dynamo {

struct PasswordHash {
  uint32_t iterations = 1;
  std::string salt;
  std::string hash;  // 32 bytes.

  friend bool operator==(const PasswordHash&, const PasswordHash&) = default;
};

// A fifth of a second or so to find out whether one password is right.
inline constexpr uint32_t kPasswordIterations = 600'000;
inline constexpr uint32_t kPasswordIterationsMax = 10'000'000;

// Takes time in proportion to `iterations`, and does not depend on anything else.
PasswordHash HashPassword(std::string_view password, std::string_view salt, uint32_t iterations);
// As long as the hash was made; compares in constant time.
bool IsPassword(const PasswordHash& hash, std::string_view password);

// 16 bytes by chance.
std::string NewSalt();

// "pbkdf2-sha256$ITERATIONS$SALT$HASH", the last two in base64.
std::string ToText(const PasswordHash& hash);
// kInvalidArgument: the text is not of that form; it is not repeated in the message.
Result<PasswordHash> ParsePasswordHash(std::string_view text);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_USERS_PASSWORD_H_
