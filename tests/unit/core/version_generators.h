// Random objects for property tests: few actors and small counters, so that
// random pairs overlap in every way.
#ifndef DYNAMO_TESTS_UNIT_CORE_VERSION_GENERATORS_H_
#define DYNAMO_TESTS_UNIT_CORE_VERSION_GENERATORS_H_

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "node/core/version/object.h"

namespace dynamo::testing {

inline constexpr ActorId kActors[] = {{11}, {22}, {33}, {44}};

inline uint64_t Pick(uint64_t low, uint64_t high) { return *rc::gen::resize(100, rc::gen::inRange(low, high + 1)); }

inline rc::Gen<VersionVector> AnyVector() {
  return rc::gen::exec([] {
    VersionVector vector;
    for (const ActorId actor : kActors) vector.Add({actor, Pick(0, 4)});
    return vector;
  });
}

inline Content Text(std::string value) {
  Content content;
  content.value = std::move(value);
  return content;
}

inline Object Bottom(ConflictPolicy policy) {
  Object object;
  object.policy = policy;
  return object;
}

inline Write Put(ActorId actor, std::string value, uint64_t stamp = 0) {
  Write write;
  write.actor = actor;
  write.content = Text(std::move(value));
  write.stamp = stamp;
  return write;
}

inline Write Delete(ActorId actor, uint64_t stamp = 0) {
  Write write = Put(actor, "never kept", stamp);
  write.tombstone = true;
  return write;
}

// Byte strings, not only text.
inline std::string AnyBytes() { return *rc::gen::arbitrary<std::string>(); }

inline rc::Gen<Content> AnyContent() {
  return rc::gen::exec([] {
    Content content;
    content.value = AnyBytes();
    content.content_type = AnyBytes();
    if (Pick(0, 1) == 0) return content;
    content.charset = AnyBytes();
    content.content_encoding = AnyBytes();
    for (uint64_t i = Pick(0, 2); i > 0; --i) content.user_metadata.emplace_back(AnyBytes(), AnyBytes());
    for (uint64_t i = Pick(0, 2); i > 0; --i) content.indexes.emplace_back(AnyBytes(), AnyBytes());
    for (uint64_t i = Pick(0, 2); i > 0; --i) content.links.push_back({AnyBytes(), AnyBytes(), AnyBytes()});
    return content;
  });
}

inline Sibling SiblingAt(const Dot& dot, Content content, bool tombstone) {
  Sibling sibling{dot, tombstone, dot.counter * 1000, {}};
  if (!tombstone) sibling.content = std::move(content);
  return sibling;
}

// Any element of the lattice that the invariants of Object allow, reachable or
// not; one dot may have different values in two of them.
inline rc::Gen<Object> AnySiblingsObject() {
  return rc::gen::exec([] {
    Object object;
    object.clock = *AnyVector();
    for (const Dot& top : object.clock.entries()) {
      for (uint64_t counter = 1; counter <= top.counter; ++counter) {
        if (Pick(0, 2) > 0) continue;
        const Dot dot{top.actor, counter};
        object.siblings.push_back(SiblingAt(dot, Text(std::string(Pick(0, 1), 'x')), Pick(0, 3) == 0));
      }
    }
    return object;
  });
}

inline rc::Gen<Object> AnyLwwObject() {
  return rc::gen::exec([] {
    Object object = Bottom(ConflictPolicy::kLastWriterWins);
    if (Pick(0, 4) == 0) return object;
    object.stamp = Pick(1, 4);
    const Dot dot{kActors[Pick(0, 3)], Pick(1, 3)};
    object.siblings.push_back(SiblingAt(dot, Text(std::string(Pick(0, 1), 'x')), Pick(0, 3) == 0));
    return object;
  });
}

inline rc::Gen<Object> AnyObject() { return rc::gen::oneOf(AnySiblingsObject(), AnySiblingsObject(), AnyLwwObject()); }

// With contents of every shape.
inline rc::Gen<Object> AnyRichObject() {
  return rc::gen::exec([] {
    Object object = *AnyObject();
    for (Sibling& sibling : object.siblings) {
      if (!sibling.tombstone) sibling.content = *AnyContent();
    }
    return object;
  });
}

}  // namespace dynamo::testing

#endif  // DYNAMO_TESTS_UNIT_CORE_VERSION_GENERATORS_H_
