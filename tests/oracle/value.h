// Values that name the write they come from, and whose every byte can be checked.
#ifndef DYNAMO_TESTS_ORACLE_VALUE_H_
#define DYNAMO_TESTS_ORACLE_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dynamo::oracle {

// Unique among all writes of a history; zero is none.
using WriteId = uint64_t;

// "w<id>:" and letters that follow from the id, at least `size` bytes in all.
std::string MakeValue(WriteId id, size_t size);
// The id, if the value is exactly what MakeValue made for it.
std::optional<WriteId> ParseValue(std::string_view value);

}  // namespace dynamo::oracle

#endif  // DYNAMO_TESTS_ORACLE_VALUE_H_
