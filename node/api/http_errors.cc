#include <fmt/format.h>

#include <boost/beast/http/field.hpp>
#include <string>
#include <string_view>

#include "node/api/http_door.h"

namespace dynamo {
namespace {

// "{w_val_unsatisfied,2,1}..." -> "W-value unsatisfied: 1/2..."; other texts as they are.
std::string QuorumText(const std::string& message) {
  static constexpr std::string_view kMark = "_val_unsatisfied,";
  const size_t mark = message.find(kMark);
  const size_t close = message.find('}');
  if (!message.starts_with('{') || mark == std::string::npos || close == std::string::npos) return message;
  std::string which = message.substr(1, mark - 1);
  for (char& c : which) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  const std::string numbers = message.substr(mark + kMark.size(), close - mark - kMark.size());
  const size_t comma = numbers.find(',');
  if (comma == std::string::npos) return message;
  return fmt::format("{}-value unsatisfied: {}/{}{}", which, numbers.substr(comma + 1), numbers.substr(0, comma),
                     message.substr(close + 1));
}

// "{n_val_violation,3}..." in Riak's words for HTTP.
std::string ArgumentText(const std::string& message, bool read) {
  static constexpr std::string_view kMark = "{n_val_violation,";
  const size_t close = message.find('}');
  if (!message.starts_with(kMark) || close == std::string::npos) return message;
  return fmt::format("Specified {} values invalid for bucket n value of {}",
                     read ? "r/pr/node_confirms" : "w/dw/pw/node_confirms",
                     message.substr(kMark.size(), close - kMark.size()));
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
