// How many columns a terminal gives a character, whatever the locale: the same table on every machine.
#pragma once

#include <cstdint>

namespace braid::cli {

/// 2 for East Asian wide and full-width characters and for emoji, 0 for those that combine with the
/// one before them or are not seen, else 1. Control characters count 0.
/// Source: Unicode Standard Annex 11 (East_Asian_Width W and F) and the general categories Mn, Me, Cf.
int character_width(uint32_t code_point);

}  // namespace braid::cli
