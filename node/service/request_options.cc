#include "node/service/request_options.h"

#include <fmt/format.h>

namespace dynamo {
namespace {

tl::unexpected<Error> NViolation(uint32_t n) {
  return Fail(Errc::kInvalidArgument, NValViolation(n) + " a read may lower N to 1 at least; nothing may raise it");
}

}  // namespace

Result<ResolvedRead> ResolveRead(const ReadOptions& options, const BucketProperties& properties, uint32_t effective_n) {
  ResolvedRead read;
  read.quorum.n = effective_n;
  read.quorum.r = Resolve(options.r, properties.r, effective_n);
  read.quorum.pr = Resolve(options.pr, properties.pr, effective_n);
  read.quorum.node_confirms = Resolve(options.node_confirms, properties.node_confirms, effective_n);
  if (Status valid = Validate(read.quorum); !valid) return Fail(std::move(valid.error()));
  read.notfound_ok = options.notfound_ok.value_or(properties.notfound_ok);
  read.basic_quorum = options.basic_quorum.value_or(properties.basic_quorum);
  read.sloppy = options.sloppy_quorum.value_or(properties.sloppy_quorum);
  return read;
}

Result<WriteQuorum> ResolveWrite(const WriteOptions& options, const BucketProperties& properties,
                                 uint32_t effective_n) {
  WriteQuorum quorum;
  quorum.n = effective_n;
  quorum.w = Resolve(options.w, properties.w, effective_n);
  quorum.pw = Resolve(options.pw, properties.pw, effective_n);
  quorum.dw = Resolve(options.dw, properties.dw, effective_n);
  quorum.node_confirms = Resolve(options.node_confirms, properties.node_confirms, effective_n);
  if (Status valid = Validate(quorum); !valid) return Fail(std::move(valid.error()));
  return quorum;
}

Result<uint32_t> NForRead(const ReadOptions& options, const BucketProperties& properties) {
  const uint32_t n = options.n_val.value_or(properties.n_val);
  if (n == 0 || n > properties.n_val) return NViolation(n);
  return n;
}

Status CheckNForWrite(const WriteOptions& options, const BucketProperties& properties) {
  const uint32_t n = options.n_val.value_or(properties.n_val);
  if (n != properties.n_val) return NViolation(n);
  return {};
}

}  // namespace dynamo
