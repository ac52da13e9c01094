// Conditions of a put against what a read found.
#ifndef DYNAMO_NODE_SERVICE_CONDITION_H_
#define DYNAMO_NODE_SERVICE_CONDITION_H_

#include <string_view>

#include "node/core/version/context.h"
#include "node/env/request_handler.h"

namespace dynamo {

// kConflict: "match_found", "modified" or "notfound" comes first in the message.
// kBadContext: the token of kUnmodified does not verify.
Status CheckPutCondition(const PutCondition& condition, const Object& found, const ContextSigner& signer,
                         std::string_view storage_key);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_CONDITION_H_
