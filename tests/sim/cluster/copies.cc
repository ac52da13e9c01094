#include "tests/sim/cluster/copies.h"

#include <algorithm>
#include <charconv>

namespace dynamo::sim {
namespace {

// Without checking the letters: the readers do that.
oracle::WriteId IdOf(std::string_view value) {
  oracle::WriteId id = 0;
  if (!value.starts_with('w')) return 0;
  const auto [end, error] = std::from_chars(value.data() + 1, value.data() + value.size(), id);
  return error == std::errc() && end != value.data() + value.size() && *end == ':' ? id : 0;
}

}  // namespace

bool Summary::Has(const Dot& dot, oracle::WriteId id) const {
  return std::ranges::binary_search(siblings, std::pair(dot, id));
}

SummaryPtr Summaries::Of(std::string_view object) {
  const auto [place, fresh] = known_.try_emplace(DigestOf(object));
  if (!fresh) return place->second;
  const Result<Object> decoded = DecodeObject(object);
  if (!decoded) return nullptr;
  auto summary = std::make_shared<Summary>();
  summary->header = HeaderOf(*decoded);
  for (const Sibling& sibling : decoded->siblings) {
    summary->siblings.emplace_back(sibling.dot, sibling.tombstone ? 0 : IdOf(sibling.content.value));
  }
  place->second = summary;
  return summary;
}

}  // namespace dynamo::sim
