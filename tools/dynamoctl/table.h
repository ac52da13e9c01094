// Columns for people.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_TABLE_H_
#define DYNAMO_TOOLS_DYNAMOCTL_TABLE_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace dynamo::ctl {

using Row = std::vector<std::string>;

// Left-aligned columns, two spaces apart, under their heads.
void PrintTable(std::ostream& out, const Row& heads, const std::vector<Row>& rows);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_TABLE_H_
