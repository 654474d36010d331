#pragma once

#include "base/schema.h"
#include "gateway/config/config.h"

namespace sluice {

/// The whole file.
const schema::Object<Config>& config_schema();

/// Checks between values, after everything was read: references to providers, names given twice, addresses used twice.
/// Takes providers that are left out, and models that have no other, out of the configuration and notes them.
void check_config(Config& config, schema::Reader& reader);

}  // namespace sluice
