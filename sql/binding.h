// What holds between the rows of bound tables and the nodes that they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/connection.h"

namespace braid {

/// kConstraint when the label is bound and the property a column of its table other than the key: its values are in the rows alone.
Status check_indexable(Connection& connection, LabelId label, std::string_view property);

/// One line for each row without a node, up to ten for each table, and for each label with other nodes. In a read transaction.
Status check_bindings(Connection& connection, std::vector<std::string>& problems);

}  // namespace braid
