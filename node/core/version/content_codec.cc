#include "node/core/version/content_codec.h"

namespace dynamo {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr uint8_t kContentVersion = 1;
constexpr size_t kPairBytesMin = 2;
constexpr size_t kLinkBytesMin = 3;

void WritePairs(const Pairs& pairs, ByteWriter& out) {
  out.Varint(pairs.size());
  for (const auto& [name, value] : pairs) {
    out.String(name);
    out.String(value);
  }
}

Pairs ReadPairs(ByteReader& in) {
  Pairs pairs(in.Count(kPairBytesMin));
  for (auto& [name, value] : pairs) {
    name = in.String();
    value = in.String();
  }
  return pairs;
}

void SkipStrings(size_t count, ByteReader& in) {
  for (size_t i = 0; i < count && in.ok(); ++i) in.String();
}

}  // namespace

void WriteContent(const Content& content, ByteWriter& out) {
  out.String(content.value);
  out.String(content.content_type);
  out.String(content.charset);
  out.String(content.content_encoding);
  WritePairs(content.user_metadata, out);
  WritePairs(content.indexes, out);
  out.Varint(content.links.size());
  for (const Content::Link& link : content.links) {
    out.String(link.bucket);
    out.String(link.key);
    out.String(link.tag);
  }
}

Content ReadContent(ByteReader& in) {
  Content content;
  content.value = in.String();
  content.content_type = in.String();
  content.charset = in.String();
  content.content_encoding = in.String();
  content.user_metadata = ReadPairs(in);
  content.indexes = ReadPairs(in);
  content.links.resize(in.Count(kLinkBytesMin));
  for (Content::Link& link : content.links) {
    link.bucket = in.String();
    link.key = in.String();
    link.tag = in.String();
  }
  return content;
}

void SkipContent(ByteReader& in) {
  SkipStrings(4, in);
  SkipStrings(2 * in.Count(kPairBytesMin), in);
  SkipStrings(2 * in.Count(kPairBytesMin), in);
  SkipStrings(3 * in.Count(kLinkBytesMin), in);
}

Bytes EncodeContent(const Content& content) {
  Bytes out;
  ByteWriter writer(&out);
  writer.U8(kContentVersion);
  WriteContent(content, writer);
  return out;
}

Result<Content> DecodeContent(std::string_view encoded) {
  ByteReader in(encoded);
  if (in.U8() != kContentVersion) return Fail(Errc::kCorrupt, "decode content: unknown version");
  Content content = ReadContent(in);
  if (!in.at_end()) return Fail(Errc::kCorrupt, "decode content: malformed");
  return content;
}

}  // namespace dynamo
