// Frames and messages from whoever connects to the peer port.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/check.h"
#include "node/protocol/frame.h"
#include "node/protocol/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size >= dynamo::kFrameLengthBytes) {
    const auto length = dynamo::ParseFrameLength(input.substr(0, dynamo::kFrameLengthBytes));
    if (length) DYNAMO_CHECK(*length >= dynamo::kFrameHeaderBytes && *length <= dynamo::kFrameBytesMax);
    if (const auto frame = dynamo::ParseFrame(input.substr(dynamo::kFrameLengthBytes))) {
      dynamo::Bytes again;
      dynamo::AppendFrame(frame->header, frame->body, &again);
      DYNAMO_CHECK(again.substr(dynamo::kFrameLengthBytes) == input.substr(dynamo::kFrameLengthBytes));
    }
  }
  // The checksum keeps a fuzzer out, so the body's parsers get the input as it is.
  if (const auto request = dynamo::ParseRequest(input)) DYNAMO_CHECK(dynamo::EncodeRequest(*request)->size() > 0);
  if (const auto response = dynamo::ParseResponse(input)) DYNAMO_CHECK(dynamo::EncodeResponse(*response)->size() > 0);
  return 0;
}
