// Sets of partitions as people write them: "0-3,7".
#ifndef DYNAMO_COMMON_ADMIN_RANGES_H_
#define DYNAMO_COMMON_ADMIN_RANGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace dynamo::admin {

// `numbers` ascending and distinct.
std::string FormatRanges(const std::vector<uint32_t>& numbers);

// Ascending and distinct, whatever the text's order. kInvalidArgument: not of that shape,
// or more than `max` numbers.
Result<std::vector<uint32_t>> ParseRanges(std::string_view text, size_t max = 1u << 16);

}  // namespace dynamo::admin

#endif  // DYNAMO_COMMON_ADMIN_RANGES_H_
