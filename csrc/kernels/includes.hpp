// What the .inl files of this folder use; they are included inside a namespace and cannot include it themselves.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "../modulus.hpp"
#include "../ring/ntt_tables.hpp"
#include "kernels.hpp"
#include "real_rules.hpp"
#include "schedule.hpp"
#include "shoup_rules.hpp"
