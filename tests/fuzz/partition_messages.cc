// Merkle trees, partitions on the move and strays, as peers send them: what is taken
// is bounded, in order and in place.
#include "node/protocol/transfer_messages.h"
#include "node/protocol/tree_messages.h"
#include "tests/fuzz/codec.h"

namespace {

using namespace dynamo;

constexpr uint32_t kPartitions = 8;

template <class Message>
Message Parse(std::string_view body) {
  Message message;
  static_cast<void>(message.ParseFromArray(body.data(), static_cast<int>(body.size())));
  return message;
}

KeyRange RangeOf(PartitionId partition) { return LeafKeyRange(partition, kPartitions, 0, kTreeLeaves - 1); }

void TakeChunk(std::string_view body) {
  const auto sent = Parse<peer::TransferChunk>(body);
  // With the right checksum: else a fuzzer would hardly ever reach what is behind it.
  Chunk chunk{{}, sent.more(), sent.last()};
  for (const auto& object : sent.objects()) chunk.objects.push_back({object.storage_key(), object.object()});
  peer::TransferChunk sealed;
  ToProto(chunk, &sealed);
  static_cast<void>(ChunkOf(sent, RangeOf(0)));
  const auto taken = ChunkOf(sealed, RangeOf(0));
  if (!taken) return;
  DYNAMO_CHECK(*taken == chunk && taken->objects.size() <= kChunkObjectsMax);
}

void TakePage(std::string_view body) {
  const auto page = PageOf(Parse<peer::LeafKeys>(body), RangeOf(0));
  if (!page) return;
  DYNAMO_CHECK(page->entries.size() <= kLeafKeysMax);
  for (size_t i = 1; i < page->entries.size(); ++i) {
    DYNAMO_CHECK(page->entries[i - 1].storage_key < page->entries[i].storage_key);
  }
}

void TakeProof(std::string_view body) {
  const auto entries = EntriesToProve(Parse<peer::StrayProof>(body), kPartitions);
  if (entries) DYNAMO_CHECK(!entries->empty() && entries->size() <= kProofKeysMax);
  const auto lacking = LackingOf(Parse<peer::StrayProved>(body), 100);
  if (lacking) DYNAMO_CHECK(lacking->size() <= 100);
}

void TakeQuestions(std::string_view body) {
  const auto nodes = NodesAskedFor(Parse<peer::TreeGet>(body));
  if (nodes) DYNAMO_CHECK(!nodes->empty() && nodes->size() <= kTreeLeaves);
  const auto leaf = RangeAskedFor(Parse<peer::LeafGet>(body), kPartitions);
  const auto transfer = RangeAskedFor(Parse<peer::TransferGet>(body), kPartitions);
  for (const auto* range : {&leaf, &transfer}) {
    if (*range) DYNAMO_CHECK((*range)->end.empty() || (*range)->begin <= (*range)->end);
  }
  DYNAMO_CHECK(BytesAskedFor(Parse<peer::TransferGet>(body)) <= kChunkBytesMax);
  static_cast<void>(HashesOf(Parse<peer::TreeNodes>(body), 3));
}

}  // namespace

// The first byte says which.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body = AsBytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0: TakeQuestions(body); break;
    case 1: TakePage(body); break;
    case 2: TakeChunk(body); break;
    default: TakeProof(body); break;
  }
  return 0;
}
