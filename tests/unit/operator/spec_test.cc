#include "operator/cluster/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <vector>

#include "operator/cluster/status.h"
#include "tests/unit/operator/spec_of.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;
using ::testing::HasSubstr;

TEST(ClusterSpec, FillsInTheDefaults) {
  const ClusterSpec spec = SpecOf({});
  EXPECT_EQ(spec.replicas, 3);
  EXPECT_EQ(spec.racks.size(), 1u);
  EXPECT_EQ(spec.read_quorum, 2);
  EXPECT_EQ(spec.storage_size, "10Gi");
  EXPECT_TRUE(spec.network_policy);
  EXPECT_FALSE(spec.delete_volumes_with_cluster);
  EXPECT_EQ(SpecOf({{"storage", {{"size", 1000}}}}).storage_size, "1000");
}

TEST(ClusterSpec, NamesTheFieldThatIsWrong) {
  const auto message = [](const Object& spec) {
    const auto parsed = ParseSpec({{"metadata", {{"name", "demo"}}}, {"spec", spec}});
    return parsed ? "accepted" : parsed.error().message;
  };
  const std::vector<std::pair<Object, const char*>> table = {
      {{{"replicas", 2}}, "spec.replicas"},
      {{{"replicas", 0}}, "spec.replicas"},
      {{{"replicas", 4294967299}}, "spec.replicas"},
      {{{"replication", {{"factor", 0}}}}, "factor"},
      {{{"storage", {{"size", "large"}}}}, "spec.storage.size"},
      {{{"storage", {{"size", "0Gi"}}}}, "spec.storage.size"},
      {{{"replication", {{"factor", 3}, {"readQuorum", 4}}}}, "readQuorum"},
      {{{"replication", {{"factor", 3}, {"writeQuorum", 0}}}}, "writeQuorum"},
      {{{"ring", {{"partitions", 100}}}}, "power of two"},
      {{{"ring", {{"partitions", 8}}}, {"replicas", 9}}, "spec.ring.partitions"},
      {{{"racks", json::array{Object{{"name", "a"}}, Object{{"name", "a"}}}}}, "a name of its own"},
      {{{"config", {{"siblings-max", 50}}}}, "spec.config"},
      {{{"monitoring", {{"labels", {{"team", 7}}}}}}, "spec.monitoring.labels"},
      {{{"tls", {{"peers", "Sometimes"}}}}, "spec.tls.peers"},
      {{{"tls", {{"peers", "CertManager"}}}}, "spec.tls.issuerRef"},
      {{{"tls", {{"peers", "CertManager"}, {"issuerRef", {{"name", "ca"}, {"kind", "Authority"}}}}}},
       "spec.tls.issuerRef.kind"},
      {{{"tls", {{"peers", "SecretRef"}}}}, "spec.tls.peersSecret"},
      {{{"tls", {{"clients", "Sometimes"}}}}, "spec.tls.clients"},
      {{{"auth", {{"enabled", true}, {"usersSecret", "users"}}}}, "spec.auth.enabled"},
      {{{"auth", {{"enabled", true}}}, {"tls", {{"clients", "Required"}}}}, "spec.auth.usersSecret"},
      {{{"transfer", {{"bandwidth", "fast"}}}}, "spec.transfer.bandwidth"},
      {{{"transfer", {{"bandwidth", "0"}}}}, "spec.transfer.bandwidth"},
      {{{"transfer", {{"maxConcurrent", 0}}}}, "spec.transfer.maxConcurrent"},
      {{{"antiEntropy", {{"interval", "often"}}}}, "spec.antiEntropy.interval"},
      {{{"antiEntropy", {{"mode", "Sometimes"}}}}, "spec.antiEntropy.mode"},
      {{{"replacement", {{"policy", "Never"}}}}, "spec.replacement.policy"},
      {{{"update", {{"maxUnavailable", 0}}}}, "spec.update.maxUnavailable"},
      {{{"update", {{"partition", -1}}}}, "spec.update.partition"},
      {{{"update", {{"minReadySeconds", -1}}}}, "spec.update.minReadySeconds"},
      {{{"update", {{"progressDeadline", "0s"}}}}, "spec.update.progressDeadline"},
      {{{"update", {{"gate", "None"}}}}, "spec.update.gate"},
      {{{"replacement", {{"failureDetectionDelay", "soon"}}}}, "spec.replacement.failureDetectionDelay"},
  };
  for (const auto& [spec, field] : table) EXPECT_THAT(message(spec), HasSubstr(field)) << json::serialize(spec);
}

TEST(ClusterSpec, RefusesByNameWhatThisVersionDoesNotDo) {
  const auto parse = [](const Object& spec) { return ParseSpec({{"metadata", {{"name", "demo"}}}, {"spec", spec}}); };
  struct Row {
    Object refused, accepted;
    const char* field;
  };
  const std::vector<Row> table = {
      {{{"monitoring", {{"rules", true}}}}, {{"monitoring", {{"rules", false}}}}, "spec.monitoring.rules"},
      {{{"replication", {{"sloppyQuorum", false}}}}, {{"replication", {{"sloppyQuorum", true}}}}, "sloppyQuorum"},
      {{{"replication", {{"readQuorum", 1}}}}, {{"replication", {{"readQuorum", 2}}}}, "spec.replication.readQuorum"},
      {{{"replication", {{"writeQuorum", 3}}}}, {{"replication", {{"writeQuorum", 2}}}}, "replication.writeQuorum"},
  };
  for (const auto& [refused, accepted, field] : table) {
    const auto no = parse(refused);
    ASSERT_FALSE(no) << field;
    EXPECT_EQ(no.error().code, Errc::kUnsupported);
    EXPECT_THAT(no.error().message, HasSubstr(field));
    EXPECT_TRUE(parse(accepted)) << field;
  }
  EXPECT_TRUE(parse({{"replicas", 5}, {"replication", {{"factor", 5}, {"readQuorum", 3}, {"writeQuorum", 3}}}}));
}

TEST(ClusterSpec, LostVolumesAreReplacedUnlessItSaysOtherwise) {
  const ClusterSpec by_default = SpecOf({});
  EXPECT_TRUE(by_default.replace_lost_volumes);
  EXPECT_TRUE(by_default.repair_after_replacement);
  EXPECT_EQ(by_default.failure_detection_delay_ms, 600'000);
  const ClusterSpec other = SpecOf({{"replacement", {{"policy", "Manual"}, {"failureDetectionDelay", "90s"}}},
                                    {"antiEntropy", {{"afterReplacement", false}}}});
  EXPECT_FALSE(other.replace_lost_volumes);
  EXPECT_FALSE(other.repair_after_replacement);
  EXPECT_EQ(other.failure_detection_delay_ms, 90'000);
}

TEST(ClusterSpec, NonsenseIsAnErrorOrADefaultNeverACrash) {
  for (const json::value& nonsense : {json::value(nullptr), json::value(7), json::value("x"),
                                      json::value(json::array{1, nullptr}), json::value(Object{{"x", Object{}}})}) {
    for (const char* field :
         {"replicas", "racks", "replication", "ring", "storage", "config", "pod", "tls", "capacity"}) {
      (void)ParseSpec({{"metadata", {{"name", "demo"}}}, {"spec", {{field, nonsense}}}});
    }
    (void)ParseSpec({{"spec", nonsense}});
    (void)ParseStatus({{"status", nonsense}});
    (void)ParseStatus({{"status", {{"operation", nonsense}, {"conditions", nonsense}}}});
    (void)ParseStatus({{"status", {{"nodes", nonsense}, {"suspicion", nonsense}}}});
  }
}

}  // namespace
}  // namespace dynamo::op
