// The encoding of objects; see object.h for its layout.
#include <algorithm>
#include <functional>
#include <utility>

#include "common/base/hash.h"
#include "node/core/version/content_codec.h"
#include "node/core/version/object.h"

namespace dynamo {
namespace {

constexpr uint8_t kObjectVersion = 1;
constexpr size_t kChecksumAt = 1;
constexpr size_t kBodyAt = 9;
constexpr size_t kSiblingBytesMin = 11;    // Actor, counter, tombstone flag, time.
constexpr size_t kNeverWrittenBytes = 12;  // No object that was written fits.
constexpr size_t kDescriptionBytes = 256;  // A guess, to allocate once.

// A sibling inside an encoding: `rest` is all of it after the dot.
struct SiblingView {
  Dot dot;
  std::string_view rest;
};

// A whole encoding, checked, with values still in place.
struct ObjectView {
  ObjectHeader header;
  std::vector<SiblingView> siblings;
};

void WriteSibling(const Sibling& sibling, ByteWriter& out) {
  out.U64(sibling.dot.actor.value);
  out.Varint(sibling.dot.counter);
  out.U8(sibling.tombstone ? 1 : 0);
  out.Varint(sibling.last_modified_us);
  if (!sibling.tombstone) WriteContent(sibling.content, out);
}

Sibling ReadSibling(const SiblingView& view) {
  ByteReader in(view.rest);
  Sibling sibling;
  sibling.dot = view.dot;
  sibling.tombstone = in.U8() == 1;
  sibling.last_modified_us = in.Varint();
  if (!sibling.tombstone) sibling.content = ReadContent(in);
  return sibling;
}

SiblingView ViewSibling(ByteReader& in, std::string_view encoded) {
  SiblingView view;
  view.dot = {{in.U64()}, in.Varint()};
  const size_t begin = encoded.size() - in.remaining();
  const uint8_t tombstone = in.U8();
  in.Varint();
  if (tombstone > 1) in.Invalidate();
  if (tombstone == 0) SkipContent(in);
  if (in.ok()) view.rest = encoded.substr(begin, encoded.size() - in.remaining() - begin);
  return view;
}

bool IsMinted(const Dot& dot) { return dot.actor != ActorId{} && dot.counter >= 1 && dot.counter <= kCounterMax; }

// The invariants of Object that the format alone does not give.
bool Holds(const ObjectView& view) {
  const auto& siblings = view.siblings;
  const auto in_order = [](const SiblingView& a, const SiblingView& b) { return a.dot < b.dot; };
  if (view.header.policy == ConflictPolicy::kLastWriterWins) {
    if (siblings.empty()) return view.header.stamp == 0;
    return siblings.size() == 1 && IsMinted(siblings[0].dot) && view.header.stamp >= 1 &&
           view.header.stamp <= kCounterMax;
  }
  return std::ranges::adjacent_find(siblings, std::not_fn(in_order)) == siblings.end() &&
         std::ranges::all_of(siblings, [&view](const SiblingView& sibling) {
           return IsMinted(sibling.dot) && view.header.clock.Covers(sibling.dot);
         });
}

Result<ObjectView> View(std::string_view encoded) {
  ByteReader in(encoded);
  if (in.U8() != kObjectVersion) return Fail(Errc::kCorrupt, "decode object: unknown version");
  if (in.U64() != Checksum64(encoded.substr(std::min(kBodyAt, encoded.size())))) {
    return Fail(Errc::kCorrupt, "decode object: the checksum does not match");
  }
  ObjectView view;
  view.header.policy = static_cast<ConflictPolicy>(in.U8());
  switch (view.header.policy) {
    case ConflictPolicy::kSiblings: view.header.clock = VersionVector::DecodeFrom(in); break;
    case ConflictPolicy::kLastWriterWins: view.header.stamp = in.Varint(); break;
    default: in.Invalidate();
  }
  const size_t count = in.Count(kSiblingBytesMin);
  view.siblings.reserve(count);
  for (size_t i = 0; i < count && in.ok(); ++i) view.siblings.push_back(ViewSibling(in, encoded));
  if (!in.at_end() || !Holds(view)) return Fail(Errc::kCorrupt, "decode object: malformed");
  const bool lww = view.header.policy == ConflictPolicy::kLastWriterWins;
  if (lww && count == 1) view.header.lww_dot = view.siblings[0].dot;
  return view;
}

Object Materialize(ObjectView view) {
  Object object;
  object.policy = view.header.policy;
  object.clock = std::move(view.header.clock);
  object.stamp = view.header.stamp;
  object.siblings.reserve(view.siblings.size());
  for (const SiblingView& sibling : view.siblings) object.siblings.push_back(ReadSibling(sibling));
  return object;
}

// As Dominates of the objects, but may say no where values of one dot differ.
bool SurelyDominates(const ObjectView& a, const ObjectView& b) {
  if (a.header.policy != b.header.policy || !Dominates(a.header, b.header)) return false;
  if (a.header.policy == ConflictPolicy::kLastWriterWins) {
    return a.header != b.header || a.siblings.empty() || a.siblings[0].rest == b.siblings[0].rest;
  }
  return std::ranges::all_of(a.siblings, [&b](const SiblingView& mine) {
    if (!b.header.clock.Covers(mine.dot)) return true;
    const auto other = std::ranges::lower_bound(b.siblings, mine.dot, {}, &SiblingView::dot);
    return other != b.siblings.end() && other->dot == mine.dot && other->rest == mine.rest;
  });
}

}  // namespace

Bytes EncodeObject(const Object& object) {
  Bytes out;
  size_t size = kBodyAt;
  for (const Sibling& sibling : object.siblings) size += sibling.content.value.size() + kDescriptionBytes;
  out.reserve(size);
  ByteWriter writer(&out);
  writer.U8(kObjectVersion);
  writer.U64(0);
  writer.U8(static_cast<uint8_t>(object.policy));
  if (object.policy == ConflictPolicy::kSiblings) {
    object.clock.EncodeTo(writer);
  } else {
    writer.Varint(object.stamp);
  }
  writer.Varint(object.siblings.size());
  for (const Sibling& sibling : object.siblings) WriteSibling(sibling, writer);
  Bytes checksum;
  ByteWriter(&checksum).U64(Checksum64(std::string_view(out).substr(kBodyAt)));
  out.replace(kChecksumAt, checksum.size(), checksum);
  return out;
}

Result<Object> DecodeObject(std::string_view encoded) { return View(encoded).map(Materialize); }

Result<ObjectHeader> DecodeObjectHeader(std::string_view encoded) {
  return View(encoded).map([](ObjectView view) { return std::move(view.header); });
}

Result<Bytes> JoinEncoded(std::string_view a, std::string_view b) {
  Result<ObjectView> of_a = View(a);
  if (!of_a) return Fail(std::move(of_a).error());
  Result<ObjectView> of_b = View(b);
  if (!of_b) return Fail(std::move(of_b).error());
  if (SurelyDominates(*of_a, *of_b)) return Bytes(a);
  if (SurelyDominates(*of_b, *of_a)) return Bytes(b);
  return EncodeObject(Join(Materialize(*std::move(of_a)), Materialize(*std::move(of_b))));
}

Hash128 DigestOf(std::string_view encoded) {
  return encoded.size() <= kNeverWrittenBytes ? Hash128{} : HashOf(encoded);
}

}  // namespace dynamo
