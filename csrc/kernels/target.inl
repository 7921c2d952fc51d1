// Everything a target is: include inside its namespace and target region, after `using Simd = ...;`.

using Vec = Simd::Vec;
constexpr u128 kWordEnd = static_cast<u128>(1) << Simd::kWordBits;

// clang-format off: each uses those above it
#include "unroll.inl"
#include "check.inl"
#include "residue.inl"
#include "shoup.inl"
#include "ntt.inl"
#include "intt.inl"
#include "elementwise.inl"
#include "inner_product.inl"
#include "weighted_sums.inl"
#include "quotient.inl"
#include "gather.inl"
// clang-format on

const Kernels kKernels = {
    Simd::kName,
    Simd::supported,
    Simd::kWordBits,
    Simd::kMaxModulusBits,
    Simd::kMinRingDegree,
    add,
    sub,
    neg,
    mul,
    mul_add,
    mul_scalar,
    add_scalar,
    sub_mul_scalar,
    inner_product,
    weighted_sums,
    quotient,
    gather,
    ntt,
    intt,
};
