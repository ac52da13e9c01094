// Content as bytes: inside a stored object and in messages between nodes.
#ifndef DYNAMO_NODE_CORE_VERSION_CONTENT_CODEC_H_
#define DYNAMO_NODE_CORE_VERSION_CONTENT_CODEC_H_

#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/core/version/object.h"

namespace dynamo {

// Canonical, with a version byte: for messages.
Bytes EncodeContent(const Content& content);
// kCorrupt: cut, extended, an unknown version.
Result<Content> DecodeContent(std::string_view encoded);

// The same without a version byte, for use inside another format.
void WriteContent(const Content& content, ByteWriter& out);
// Invalidates `in` if malformed.
Content ReadContent(ByteReader& in);
// Checks as ReadContent does, and copies nothing.
void SkipContent(ByteReader& in);

}  // namespace dynamo

#endif  // DYNAMO_NODE_CORE_VERSION_CONTENT_CODEC_H_
