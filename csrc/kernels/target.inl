// Everything a target is: include inside its namespace and target region, after `using Simd = ...;` and its
// arithmetic, integers.inl or reals.inl.

// clang-format off: each uses those above it
#include "ntt.inl"
#include "intt.inl"
#include "elementwise.inl"
#include "inner_product.inl"
#include "weighted_sums.inl"
#include "quotient.inl"
#include "mixed_radix.inl"
#include "gather.inl"
// clang-format on

const Kernels kKernels = {
    Simd::kName,
    Simd::supported,
    kMaxModulusBits,
    Simd::kMinRingDegree,
    twiddle,
    add,
    sub,
    neg,
    mul,
    mul_add,
    mul_scalar,
    add_scalar,
    from_signed,
    sub_mul_scalar,
    sub_mul_scalar_add,
    tensor,
    inner_product,
    key_product,
    weighted_sums,
    quotient,
    mixed_radix,
    gather,
    ntt,
    intt,
};
