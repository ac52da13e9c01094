// Sizes and times as people write them into a resource.
#ifndef DYNAMO_OPERATOR_CLUSTER_QUANTITY_H_
#define DYNAMO_OPERATOR_CLUSTER_QUANTITY_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace dynamo::op {

// "1500", "50M", "1.5Gi": numbers with Kubernetes' suffixes k to E and Ki to Ei; what is no
// whole byte is rounded up. nullopt: it is none, or more than 2^63 - 1.
std::optional<int64_t> ParseBytes(std::string_view text);

// "500ms", "90s", "1h30m". nullopt: it is none, or longer than a year, which nobody means.
std::optional<int64_t> ParseMilliseconds(std::string_view text);

}  // namespace dynamo::op

#endif  // DYNAMO_OPERATOR_CLUSTER_QUANTITY_H_
