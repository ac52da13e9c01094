// Riak's ways of writing down quorums, names and errors, shared by both doors.
#ifndef DYNAMO_NODE_API_RIAK_VALUES_H_
#define DYNAMO_NODE_API_RIAK_VALUES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "node/api/limits.h"
#include "node/core/replication/quorum.h"
#include "node/core/version/object.h"
#include "node/core/version/object_key.h"
#include "node/env/random.h"

namespace dynamo {

// 0xFFFFFFFE one, 0xFFFFFFFD quorum, 0xFFFFFFFC all, 0xFFFFFFFB default; else the number.
QuorumValue QuorumFromWire(uint32_t wire);
uint32_t QuorumToWire(const QuorumValue& value);

// "one", "quorum", "all", "default" or a decimal number of at most 9 digits.
// kInvalidArgument names `parameter`.
Result<QuorumValue> QuorumFromText(std::string_view parameter, std::string_view text);
// The number, or the word in quotes as JSON wants it.
std::string QuorumToText(const QuorumValue& value);

// kInvalidArgument: "Key cannot be zero-length" and the like; kTooLarge.
Status ValidateKey(const ObjectKey& key, const DoorLimits& limits);

// A key for an object that came without one: 27 characters of [0-9A-Za-z].
std::string GenerateKey(Random& random);

// In the order in which Riak gives them: by value bytes, tombstones first among equals.
std::vector<const Sibling*> SortedSiblings(const Object& object);

// The text of an error as Riak's clients know it; what they match on comes first.
std::string RiakErrorText(const Error& error);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_RIAK_VALUES_H_
