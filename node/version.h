// The version of this software, as nodes tell each other.
#ifndef DYNAMO_NODE_VERSION_H_
#define DYNAMO_NODE_VERSION_H_

namespace dynamo {

// From the project line of the topmost CMakeLists.txt.
inline constexpr char kVersion[] = DYNAMO_VERSION;

}  // namespace dynamo

#endif  // DYNAMO_NODE_VERSION_H_
