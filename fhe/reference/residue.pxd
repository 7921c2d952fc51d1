# C types for residue.py. A product of two residues needs u128: every factor is one, or the product would wrap.
cimport cython

cdef extern from *:
    """
    typedef unsigned long long u64;
    typedef unsigned __int128 u128;
    """
    ctypedef unsigned long long u64
    ctypedef unsigned long long u128

@cython.locals(k=Py_ssize_t)
cpdef void add(u64[::1] out, const u64[::1] x, const u64[::1] y, u64 q)

@cython.locals(k=Py_ssize_t)
cpdef void sub(u64[::1] out, const u64[::1] x, const u64[::1] y, u64 q)

@cython.locals(k=Py_ssize_t)
cpdef void neg(u64[::1] out, const u64[::1] x, u64 q)

@cython.locals(k=Py_ssize_t, a=u128, b=u128)
cpdef void mul(u64[::1] out, const u64[::1] x, const u64[::1] y, u64 q)

@cython.locals(k=Py_ssize_t, a=u128, b=u128, c=u128)
cpdef void mul_add(u64[::1] out, const u64[::1] x, const u64[::1] y, const u64[::1] z, u64 q)

@cython.locals(k=Py_ssize_t, a=u128)
cpdef void mul_scalar(u64[::1] out, const u64[::1] x, u64 w, u64 q)

@cython.locals(k=Py_ssize_t)
cpdef void add_scalar(u64[::1] out, const u64[::1] x, u64 w, u64 q)

@cython.locals(N=Py_ssize_t, i=Py_ssize_t, j=Py_ssize_t, k=Py_ssize_t, a=u128, b=u128)
cpdef void schoolbook(u64[::1] out, const u64[::1] x, const u64[::1] y, u64 q)

@cython.locals(j=Py_ssize_t, a=u128, w=u128)
cpdef void ntt(u64[::1] out, const u64[::1] x, const u64[::1] powers, u64 q)

@cython.locals(j=Py_ssize_t, k=Py_ssize_t, a=u128, w=u128)
cpdef void intt(u64[::1] out, const u64[::1] x, const u64[::1] inverse_powers, u64 q, u64 inverse_N)

@cython.locals(N=Py_ssize_t, half=Py_ssize_t, stride=Py_ssize_t, start=Py_ssize_t, k=Py_ssize_t,
               b=u128, w=u128, even=u64, odd=u64)
cdef void _cyclic_transform(u64[::1] row, const u64[::1] powers, u64 q)

@cython.locals(N=Py_ssize_t, k=Py_ssize_t, reversed_k=Py_ssize_t, bit=Py_ssize_t)
cdef void _reverse_bits(u64[::1] row)

@cython.locals(N=Py_ssize_t, j=Py_ssize_t, exponent=Py_ssize_t)
cpdef void automorphism_coeff(u64[::1] out, const u64[::1] x, Py_ssize_t element, u64 q)

@cython.locals(N=Py_ssize_t, k=Py_ssize_t, exponent=Py_ssize_t)
cpdef void automorphism_eval(u64[::1] out, const u64[::1] x, Py_ssize_t element)
