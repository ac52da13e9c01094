#include "operator/cluster/render_list.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "operator/cluster/objects.h"

namespace dynamo::op {

Result<std::string> RenderList(const std::string& cluster, const std::string& default_image) {
  const auto object = kube::ParseObject(cluster);
  if (!object) return Fail(object.error());
  auto spec = ParseSpec(*object);
  if (!spec) return Fail(spec.error());
  if (spec->tls_peers != ClusterSpec::PeerTls::kDisabled) spec->tls_peer_mode = "required";
  RenderInput input;
  input.spec = &*spec;
  input.cluster_id = kube::StringAt(*object, "status.clusterID");
  input.default_image = default_image;
  input.ring_formed = true;
  input.pod_monitors = input.cert_manager = true;
  input.replicas = Spread(spec->replicas, spec->racks.size());
  kube::json::array items;
  for (RenderedObject& rendered : RenderAll(input)) items.push_back(std::move(rendered.object));
  return kube::json::serialize(kube::Object{{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}}) +
         "\n";
}

}  // namespace dynamo::op
