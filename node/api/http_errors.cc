#include <fmt/format.h>

#include <boost/beast/http/field.hpp>
#include <string>

#include "node/api/http_door.h"
#include "node/core/replication/quorum.h"

namespace dynamo {
namespace {

// "{w_val_unsatisfied,2,1}..." -> "W-value unsatisfied: 1/2..."; other texts as they are.
std::string QuorumText(const std::string& message) {
  const auto shortfall = ParseRiakTerm(message);
  return shortfall ? RiakSentence(*shortfall) + message.substr(RiakTerm(*shortfall).size()) : message;
}

// "{n_val_violation,3}..." in Riak's words for HTTP.
std::string ArgumentText(const std::string& message, bool read) {
  const auto n = ParseNValViolation(message);
  if (!n) return message;
  return fmt::format("Specified {} values invalid for bucket n value of {}",
                     read ? "r/pr/node_confirms" : "w/dw/pw/node_confirms", *n);
}

HttpStatus StatusOf(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
    case Errc::kBadContext: return HttpStatus::bad_request;
    case Errc::kNotFound: return HttpStatus::not_found;
    case Errc::kAlreadyExists:
    case Errc::kConflict: return HttpStatus::conflict;
    case Errc::kTooLarge: return HttpStatus::payload_too_large;
    case Errc::kTooManySiblings: return HttpStatus::unprocessable_entity;
    case Errc::kUnsupported: return HttpStatus::not_implemented;
    case Errc::kQuorumUnmet:
    case Errc::kTimeout:
    case Errc::kUnavailable:
    case Errc::kOverloaded:
    case Errc::kReadOnly:
    case Errc::kNotReady:
    case Errc::kNotOwner:
    case Errc::kWrongCluster: return HttpStatus::service_unavailable;
    case Errc::kCorrupt:
    case Errc::kStorage:
    case Errc::kInternal: break;
  }
  return HttpStatus::internal_server_error;
}

}  // namespace

HttpResponse ErrorResponse(const Error& error, bool read) {
  std::string text = error.message;
  if (error.code == Errc::kQuorumUnmet) text = QuorumText(text);
  if (error.code == Errc::kInvalidArgument) text = ArgumentText(text, read);
  if (error.code == Errc::kTimeout) text = "request timed out: " + text;
  HttpResponse response = TextResponse(StatusOf(error.code), text);
  if (error.code == Errc::kOverloaded) response.set(boost::beast::http::field::retry_after, "1");
  return response;
}

}  // namespace dynamo
