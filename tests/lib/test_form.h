// In which form tests run.
#ifndef DYNAMO_TESTS_LIB_TEST_FORM_H_
#define DYNAMO_TESTS_LIB_TEST_FORM_H_

#include <cstdlib>
#include <string>

namespace dynamo {

// How much a test does (tests/run): kSmoke under sanitizers, kLong as a soak.
enum class TestForm { kSmoke, kNormal, kLong };

// The form called `name`: smoke, normal or long; any other name is kNormal.
inline TestForm TestFormOf(const std::string& name) {
  if (name == "smoke") return TestForm::kSmoke;
  return name == "long" ? TestForm::kLong : TestForm::kNormal;
}

// As the environment's DYNAMO_TEST_FORM says; kNormal without it.
inline TestForm FormOfThisRun() {
  const char* const name = std::getenv("DYNAMO_TEST_FORM");
  return TestFormOf(name == nullptr ? "normal" : name);
}

}  // namespace dynamo

#endif  // DYNAMO_TESTS_LIB_TEST_FORM_H_
