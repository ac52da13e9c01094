// A DynamoCluster of any shape, its status included: read or refused, planned and
// rendered; never a crash, and never an operation that is taken for none.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "operator/cluster/objects.h"
#include "operator/cluster/planner.h"
#include "operator/cluster/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dynamo;
  const auto object = kube::ParseObject({reinterpret_cast<const char*>(data), size});
  if (!object) return 0;
  const auto status = op::ParseStatus(*object);
  if (!status) DYNAMO_CHECK(status.error().code == Errc::kCorrupt);
  const auto spec = op::ParseSpec(*object);
  if (!spec) {
    DYNAMO_CHECK(!spec.error().message.empty());
    return 0;
  }
  if (!status) return 0;

  op::Observed observed;
  for (const op::RackSpec& rack : spec->racks)
    observed.racks.push_back({.name = rack.name, .replicas = 1, .uid = "uid", .trouble = ""});
  const op::Action action = op::Plan(*spec, *status, observed);
  DYNAMO_CHECK(!op::ToString(action).empty());
  (void)op::Report(*spec, *status, observed, action, "2023-11-14T22:13:20Z");
  op::RenderInput input;
  input.spec = &*spec;
  input.replicas = op::Spread(spec->replicas, spec->racks.size());
  DYNAMO_CHECK(op::RenderAll(input).size() >= 7);
  return 0;
}
