#include "cli/import_target.h"

#include "cli/edge_target.h"
#include "cli/hypertable_target.h"
#include "cli/node_target.h"
#include "cli/table_target.h"

namespace braid::cli {

std::unique_ptr<ImportTarget> make_import_target(const Session& session,
                                                 const ImportArguments& arguments) {
  switch (arguments.target) {
    case ImportArguments::Target::kTable:
      return std::make_unique<TableTarget>(session, arguments);
    case ImportArguments::Target::kHypertable:
      return std::make_unique<HypertableTarget>(session, arguments);
    case ImportArguments::Target::kNodes:
      return std::make_unique<NodeTarget>(session, arguments);
    case ImportArguments::Target::kEdges:
      return std::make_unique<EdgeTarget>(session, arguments);
    case ImportArguments::Target::kGraphml:
    case ImportArguments::Target::kLineProtocol:
    case ImportArguments::Target::kExport:
      break;  // has no columns
  }
  return nullptr;
}

}  // namespace braid::cli
