#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "provider/mock/complaint.h"
#include "provider/mock/question.h"

namespace sluice::mock {

/// A unit vector; texts that share words point in similar directions.
std::vector<float> embed(std::string_view text, std::size_t dimensions, std::uint64_t seed);

/// The whole answer of `/v1/embeddings`.
Checked<std::string> embeddings_text(Json body, std::uint64_t seed);

}  // namespace sluice::mock
