// What comes over a connection to the peer port, from its first byte on: the hello,
// frames however they are cut, and every kind of message in them.
#include <algorithm>
#include <cstring>

#include "node/adapter/frame_buffer.h"
#include "node/core/ring/topology.h"
#include "node/protocol/frame.h"
#include "node/protocol/messages.h"
#include "node/service/forward_codec.h"
#include "tests/fuzz/codec.h"

namespace {

using namespace dynamo;

// Feeds the stream in pieces of `piece` bytes; how many frames came whole.
size_t Stream(std::string_view stream, size_t piece) {
  FrameBuffer buffer;
  size_t frames = 0, fed = 0;
  while (fed < stream.size()) {
    const std::span<char> space = buffer.Space();
    const size_t size = std::min({piece, space.size(), stream.size() - fed});
    std::memcpy(space.data(), stream.data() + fed, size);
    buffer.Filled(size);
    fed += size;
    DYNAMO_CHECK(buffer.capacity() <= std::max(FrameBuffer::kMinimum, 2 * fed));
    for (;;) {
      const auto frame = buffer.Next();
      if (!frame) return frames;
      if (!*frame) break;
      ++frames;
      Bytes again;
      AppendFrame((*frame)->header, (*frame)->body, &again);
      DYNAMO_CHECK(stream.find(again) != std::string_view::npos);
    }
  }
  return frames;
}

// What a message decodes to encodes to what decodes to it; unknown fields aside, so
// the first encoding may be another than the input.
template <class Parse, class Encode>
auto ParseStable(std::string_view body, Parse parse, Encode encode) {
  auto message = parse(body);
  if (message) {
    const auto once = encode(*message);
    const auto again = parse(*once);
    DYNAMO_CHECK(again.has_value() && again->kind_case() == message->kind_case() && *encode(*again) == *once);
  }
  return message;
}

void OpenRequest(std::string_view body) {
  const auto request = ParseStable(body, ParseRequest, EncodeRequest);
  if (!request) return;
  // The codecs inside that have no target of their own.
  if (const auto get = DecodeForward(request->forward_get())) DYNAMO_CHECK(EncodeForward(*get)->size() > 0);
  if (const auto put = DecodeForward(request->forward_put())) DYNAMO_CHECK(EncodeForward(*put, 1)->size() > 0);
  if (const auto erase = DecodeForward(request->forward_delete())) DYNAMO_CHECK(EncodeForward(*erase, 1)->size() > 0);
  if (request->has_offer_topology()) (void)DecodeTopology(request->offer_topology().topology());
}

void OpenResponse(std::string_view body) {
  const auto response = ParseStable(body, ParseResponse, EncodeResponse);
  if (!response) return;
  (void)DecodeGetReply(*response);
  (void)DecodePutReply(*response, /*return_object=*/true);
  if (response->has_gossip_reply()) (void)DecodeTopology(response->gossip_reply().topology());
}

}  // namespace

// The input: a byte that says how the stream is cut, then the stream, which is also
// taken for the body of a message, since the checksum keeps a fuzzer out of frames.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader in(AsBytes(data, size));
  const size_t piece = size_t{in.U8()} + 1;
  const std::string_view body = in.Raw(in.remaining());
  const Bytes hello = EncodeHello(kSpokenVersions);
  Stream(body, piece);
  Stream(hello + Bytes(body), piece);
  Bytes stream = hello;
  for (const FrameKind kind : {FrameKind::kRequest, FrameKind::kResponse, FrameKind::kRefused}) {
    FrameHeader header;
    header.kind = kind;
    AppendFrame(header, body, &stream);
  }
  DYNAMO_CHECK(Stream(stream, piece) == 3);
  OpenRequest(body);
  OpenResponse(body);
  return 0;
}
