// The spec of a cluster "demo" in the namespace "shop".
#ifndef DYNAMO_TESTS_UNIT_OPERATOR_SPEC_OF_H_
#define DYNAMO_TESTS_UNIT_OPERATOR_SPEC_OF_H_

#include <gtest/gtest.h>

#include "operator/cluster/spec.h"

namespace dynamo::op {

// With these fields and the defaults of all others.
inline ClusterSpec SpecOf(const kube::Object& spec) {
  const auto parsed = ParseSpec(
      {{"metadata", {{"name", "demo"}, {"namespace", "shop"}, {"uid", "u1"}, {"generation", 4}}}, {"spec", spec}});
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(ClusterSpec{});
}

}  // namespace dynamo::op

#endif  // DYNAMO_TESTS_UNIT_OPERATOR_SPEC_OF_H_
