#include "node/protocol/messages.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "node/protocol/frame.h"

namespace dynamo {
namespace {

std::shared_ptr<const Bytes> Encode(const google::protobuf::MessageLite& message) {
  auto body = std::make_shared<Bytes>();
  message.SerializeToString(body.get());
  return body;
}

// Protocol Buffers bounds the nesting and the lengths; the transport bounds the size.
bool Parse(std::string_view body, google::protobuf::MessageLite* message) {
  if (body.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return false;
  return message->ParseFromArray(body.data(), static_cast<int>(body.size()));
}

Error ErrorOf(const peer::Failure& failure) {
  const bool known = failure.code() >= static_cast<uint32_t>(Errc::kInvalidArgument) &&
                     failure.code() <= static_cast<uint32_t>(Errc::kInternal);
  return {known ? static_cast<Errc>(failure.code()) : Errc::kInternal, failure.message()};
}

}  // namespace

std::shared_ptr<const Bytes> EncodeRequest(const peer::Request& request) { return Encode(request); }

std::shared_ptr<const Bytes> EncodeResponse(const peer::Response& response) { return Encode(response); }

std::shared_ptr<const Bytes> EncodeFailure(const Error& error) {
  peer::Response response;
  response.mutable_failure()->set_code(static_cast<uint32_t>(error.code));
  response.mutable_failure()->set_message(error.message);
  return Encode(response);
}

std::shared_ptr<const Bytes> FittingAnswer(std::shared_ptr<const Bytes> answer) {
  constexpr size_t kBytesMax = kFrameBytesMax - kFrameHeaderBytes;
  if (answer->size() <= kBytesMax) return answer;
  return EncodeFailure(
      {Errc::kTooLarge, fmt::format("the answer is {} bytes long: more than {} do not fit a frame between nodes",
                                    answer->size(), kBytesMax)});
}

Result<peer::Request> ParseRequest(std::string_view body) {
  peer::Request request;
  if (!Parse(body, &request)) {
    return Fail(Errc::kCorrupt, fmt::format("request from a peer: {} malformed bytes", body.size()));
  }
  if (request.kind_case() == peer::Request::KIND_NOT_SET) {
    return Fail(Errc::kUnsupported, "request from a peer: of a kind that this version does not know");
  }
  return request;
}

Result<peer::Response> ParseResponse(std::string_view body) {
  peer::Response response;
  if (!Parse(body, &response)) {
    return Fail(Errc::kCorrupt, fmt::format("answer of a peer: {} malformed bytes", body.size()));
  }
  if (response.kind_case() == peer::Response::KIND_NOT_SET) {
    return Fail(Errc::kUnsupported, "answer of a peer: of a kind that this version does not know");
  }
  if (response.has_failure()) return Fail(ErrorOf(response.failure()));
  return response;
}

}  // namespace dynamo
