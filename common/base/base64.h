// Base64 as RFC 4648 section 4 has it, padded.
#ifndef DYNAMO_COMMON_BASE_BASE64_H_
#define DYNAMO_COMMON_BASE_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace dynamo {

std::string Base64Encode(std::string_view data);
// nullopt unless it is exactly what Base64Encode gives for some data.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace dynamo

#endif  // DYNAMO_COMMON_BASE_BASE64_H_
