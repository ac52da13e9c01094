// An object's content as HTTP headers, both ways.
#ifndef DYNAMO_NODE_API_HTTP_CONTENT_H_
#define DYNAMO_NODE_API_HTTP_CONTENT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "node/api/http_server.h"
#include "node/core/version/object.h"
#include "node/core/version/object_key.h"

namespace dynamo {

// The body and what the headers say of it. kInvalidArgument without Content-Type,
// or with a malformed Link.
Result<Content> ContentFromHttp(HttpRequest request);

// Content-Type, ETag, Last-Modified, Link, X-Riak-Meta-*, X-Riak-Index-*, ... in
// the order they are sent.
using HeaderList = std::vector<std::pair<std::string, std::string>>;
HeaderList HeadersOf(const Sibling& sibling, const ObjectKey& key);

// `Link: </buckets/b/keys/k>; riaktag="t", ...`; links to buckets (rel="up") are
// the server's own and are skipped.
Result<std::vector<Content::Link>> ParseLinks(std::string_view header);

// "Tue, 15 Nov 1994 12:45:26 GMT", of microseconds since 1970.
std::string HttpDate(WallMicros at);

// A body of type multipart/mixed; `boundary` must not occur in any value.
std::string MultipartBody(const std::vector<const Sibling*>& siblings, const ObjectKey& key, std::string_view boundary);
// One that occurs in none of them, the same for the same siblings.
std::string BoundaryFor(const std::vector<const Sibling*>& siblings);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_CONTENT_H_
