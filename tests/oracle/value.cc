#include "tests/oracle/value.h"

#include <algorithm>
#include <charconv>

#include "common/base/random.h"

namespace dynamo::oracle {

std::string MakeValue(WriteId id, size_t size) {
  // The length is part of what is checked: a cut value is not its own prefix.
  std::string value = "w" + std::to_string(id) + ":" + std::to_string(size) + ":";
  Rng letters(id * 1'000'003 + size);
  uint64_t draw = 0;
  size_t i = value.size();
  value.resize(std::max(i, size));
  for (; i < size; ++i, draw >>= 4) {
    // Sixteen letters of each draw: long values are made, and made again to compare, often.
    if (draw == 0) draw = letters.Next() | 1;
    value[i] = static_cast<char>('a' + (draw & 15));
  }
  return value;
}

std::optional<WriteId> ParseValue(std::string_view value) {
  if (value.empty() || value[0] != 'w') return std::nullopt;
  WriteId id = 0;
  const char* const end = value.data() + value.size();
  const auto [after_id, id_error] = std::from_chars(value.data() + 1, end, id);
  if (id_error != std::errc() || after_id == end || *after_id != ':') return std::nullopt;
  size_t size = 0;
  const auto [after_size, size_error] = std::from_chars(after_id + 1, end, size);
  // A forged size must not make us build a giant.
  if (size_error != std::errc() || size > value.size() || value != MakeValue(id, size)) return std::nullopt;
  return id;
}

}  // namespace dynamo::oracle
