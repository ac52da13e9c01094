#include "tools/dynamoctl/table.h"

#include <algorithm>
#include <ostream>

namespace dynamo::ctl {

void PrintTable(std::ostream& out, const Row& heads, const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const std::string& head : heads) widths.push_back(head.size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto print = [&](const Row& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    out << line << '\n';
  };
  print(heads);
  for (const Row& row : rows) print(row);
}

}  // namespace dynamo::ctl
