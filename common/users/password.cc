#include "common/users/password.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "common/base/base64.h"
#include "common/base/check.h"

namespace dynamo {
namespace {

constexpr std::string_view kScheme = "pbkdf2-sha256";
constexpr size_t kHashBytes = 32;
constexpr size_t kSaltBytes = 16;

unsigned char* BytesOf(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* BytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Up to the next '$', or to the end.
std::string_view NextPart(std::string_view* rest) {
  const size_t end = std::min(rest->find('$'), rest->size());
  const std::string_view part = rest->substr(0, end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return part;
}

std::optional<uint32_t> ParseIterations(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value < 1 || value > kPasswordIterationsMax) return std::nullopt;
  return value;
}

}  // namespace

PasswordHash HashPassword(std::string_view password, std::string_view salt, uint32_t iterations) {
  PasswordHash out{iterations, std::string(salt), std::string(kHashBytes, '\0')};
  DYNAMO_CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), BytesOf(salt),
                                 static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                                 static_cast<int>(kHashBytes), BytesOf(out.hash)) == 1);
  return out;
}

bool IsPassword(const PasswordHash& hash, std::string_view password) {
  const PasswordHash given = HashPassword(password, hash.salt, hash.iterations);
  return given.hash.size() == hash.hash.size() &&
         CRYPTO_memcmp(given.hash.data(), hash.hash.data(), hash.hash.size()) == 0;
}

std::string NewSalt() {
  std::string salt(kSaltBytes, '\0');
  DYNAMO_CHECK(RAND_bytes(BytesOf(salt), static_cast<int>(salt.size())) == 1);
  return salt;
}

std::string ToText(const PasswordHash& hash) {
  return fmt::format("{}${}${}${}", kScheme, hash.iterations, Base64Encode(hash.salt), Base64Encode(hash.hash));
}

Result<PasswordHash> ParsePasswordHash(std::string_view text) {
  const auto refuse = [](std::string why) { return Fail(Errc::kInvalidArgument, std::move(why)); };
  if (NextPart(&text) != kScheme) {
    return refuse("wants pbkdf2-sha256$ITERATIONS$SALT$HASH, as \"dynamoctl hash-password\" prints it");
  }
  const auto iterations = ParseIterations(NextPart(&text));
  if (!iterations) return refuse(fmt::format("wants 1 to {} iterations", kPasswordIterationsMax));
  auto salt = Base64Decode(NextPart(&text));
  if (!salt || salt->empty()) return refuse("the salt is no base64");
  auto hash = Base64Decode(text);
  if (!hash || hash->size() != kHashBytes) return refuse(fmt::format("the hash is no base64 of {} bytes", kHashBytes));
  return PasswordHash{*iterations, std::move(*salt), std::move(*hash)};
}

}  // namespace dynamo
