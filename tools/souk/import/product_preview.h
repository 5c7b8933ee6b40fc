#pragma once
#include <string>

#include "tools/souk/import/product_file.h"

namespace souk::cli {

/// `--dry-run`: checks each product as the daemon would, without one; what that finds is moved to
/// the rejected rows.
void check_as_the_daemon(ProductFile& file);

/// How the file was understood, its first products as they would be taken, what adds up to what.
std::string preview_text(const ProductFile& file);
/// The same as one JSON object, with its line end; `first` holds put_product commands.
std::string preview_json(const ProductFile& file);

}  // namespace souk::cli
