// Assertions that stay on in release builds: a broken invariant stops the
// process, because going on could lose data.
#ifndef DYNAMO_COMMON_BASE_CHECK_H_
#define DYNAMO_COMMON_BASE_CHECK_H_

namespace dynamo {

// Prints the condition and where it stood, then aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace dynamo

#define DYNAMO_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::dynamo::CheckFailed(#condition, __FILE__, __LINE__))

#endif  // DYNAMO_COMMON_BASE_CHECK_H_
