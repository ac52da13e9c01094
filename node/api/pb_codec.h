// Frames and contents of the Protocol Buffers door: pure, bytes in, bytes out.
//
// Frame: uint32 big-endian length of (code + body) | uint8 code | body.
#ifndef DYNAMO_NODE_API_PB_CODEC_H_
#define DYNAMO_NODE_API_PB_CODEC_H_

#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/api/riak.pb.h"
#include "node/core/version/object.h"
#include "node/env/request_handler.h"

namespace dynamo {

enum class PbCode : uint8_t {
  kErrorResp = 0,
  kPingReq = 1,
  kPingResp = 2,
  kGetClientIdReq = 3,
  kGetClientIdResp = 4,
  kSetClientIdReq = 5,
  kSetClientIdResp = 6,
  kGetServerInfoReq = 7,
  kGetServerInfoResp = 8,
  kGetReq = 9,
  kGetResp = 10,
  kPutReq = 11,
  kPutResp = 12,
  kDelReq = 13,
  kDelResp = 14,
  kGetBucketReq = 19,
  kGetBucketResp = 20,
  kSetBucketReq = 21,
  kSetBucketResp = 22,
  kResetBucketReq = 29,
  kResetBucketResp = 30,
  kGetBucketTypeReq = 31,
  kSetBucketTypeReq = 32,
  kAuthReq = 253,
  kAuthResp = 254,
  kStartTls = 255,  // The request and its answer.
};

inline constexpr size_t kPbLengthBytes = 4;

// The length that the first four bytes of a frame state: at least 1 (the code).
// kTooLarge above `bytes_max`, kInvalidArgument for 0.
Result<size_t> ParsePbLength(std::string_view length_bytes, size_t bytes_max);

// A whole frame.
Bytes EncodePbFrame(PbCode code, std::string_view body);
Bytes EncodePbFrame(PbCode code, const google::protobuf::MessageLite& message);
Bytes EncodePbError(std::string_view message);

// kInvalidArgument if it does not parse.
Status ParsePb(std::string_view body, google::protobuf::MessageLite* message);

Content ContentFromPb(riak::Content content);
// Without the value for a head request.
void ContentToPb(const Sibling& sibling, bool head, riak::Content* out);

void PropertiesToPb(const BucketProperties& properties, riak::BucketProps* out);
// kInvalidArgument when it asks to change what only the bucket type decides.
Result<BucketPropertiesChange> PropertiesFromPb(const riak::BucketProps& wanted, const BucketProperties& today);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_PB_CODEC_H_
