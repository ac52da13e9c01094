#include "common/base/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace dynamo {

struct MacKey::State {
  EVP_MAC* algorithm = nullptr;
  EVP_MAC_CTX* keyed = nullptr;

  ~State() {
    EVP_MAC_CTX_free(keyed);
    EVP_MAC_free(algorithm);
  }
};

MacKey::MacKey(std::string_view secret) : state_(std::make_unique<State>()) {
  state_->algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  DYNAMO_CHECK(state_->algorithm != nullptr);
  state_->keyed = EVP_MAC_CTX_new(state_->algorithm);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
  const auto* key = reinterpret_cast<const unsigned char*>(secret.data());
  DYNAMO_CHECK(EVP_MAC_init(state_->keyed, key, secret.size(), params) == 1);
}

MacKey::~MacKey() = default;
MacKey::MacKey(MacKey&&) noexcept = default;
MacKey& MacKey::operator=(MacKey&&) noexcept = default;

MacTag MacKey::Sign(std::string_view data) const {
  // Initialising without a key starts over with the one that is already set up.
  DYNAMO_CHECK(EVP_MAC_init(state_->keyed, nullptr, 0, nullptr) == 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  DYNAMO_CHECK(EVP_MAC_update(state_->keyed, bytes, data.size()) == 1);
  std::array<uint8_t, 32> full{};
  size_t size = 0;
  DYNAMO_CHECK(EVP_MAC_final(state_->keyed, full.data(), &size, full.size()) == 1);
  MacTag tag;
  std::copy_n(full.begin(), tag.size(), tag.begin());
  return tag;
}

bool MacKey::Verify(std::string_view data, std::string_view tag) const {
  const MacTag expected = Sign(data);
  return tag.size() == expected.size() && CRYPTO_memcmp(tag.data(), expected.data(), expected.size()) == 0;
}

}  // namespace dynamo
