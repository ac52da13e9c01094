// Message authentication: HMAC-SHA-256, cut to 128 bits.
#ifndef DYNAMO_COMMON_BASE_MAC_H_
#define DYNAMO_COMMON_BASE_MAC_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace dynamo {

using MacTag = std::array<uint8_t, 16>;

// A prepared key: setting one up costs far more than a tag. Not thread-safe.
class MacKey {
 public:
  // Any length; 32 random bytes are right.
  explicit MacKey(std::string_view secret);
  ~MacKey();
  MacKey(MacKey&&) noexcept;
  MacKey& operator=(MacKey&&) noexcept;

  MacTag Sign(std::string_view data) const;
  // Constant time. `tag` of any size; only the exact 16 bytes verify.
  bool Verify(std::string_view data, std::string_view tag) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_MAC_H_
