//! One scalar function, its kernels and its name in C.
