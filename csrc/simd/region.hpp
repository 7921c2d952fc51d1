// Target regions: functions between BEGIN and END are compiled for the named instruction set, whatever the
// flags of the file. Everything that inlines into them (vocabulary, kernels, lambdas) must be inside one too.
#pragma once

#define FHE_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define FHE_TARGET_REGION_BEGIN(features) \
  FHE_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define FHE_TARGET_REGION_END FHE_PRAGMA(clang attribute pop)
#else
#define FHE_TARGET_REGION_BEGIN(features) FHE_PRAGMA(GCC push_options) FHE_PRAGMA(GCC target(features))
#define FHE_TARGET_REGION_END FHE_PRAGMA(GCC pop_options)
#endif

// Debug builds leave inlining to the compiler: the assertions of an unrolled transform are many.
#ifdef NDEBUG
#define FHE_INLINE __attribute__((always_inline))
#else
#define FHE_INLINE
#endif
