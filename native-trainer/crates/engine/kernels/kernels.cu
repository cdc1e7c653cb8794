// Every kernel, as one translation unit: nvcc compiles this file once for each GPU architecture.
#if __has_include("attention.cuh")
#include "attention.cuh"
#endif
#if __has_include("layer_norm.cuh")
#include "layer_norm.cuh"
#endif
#if __has_include("activation.cuh")
#include "activation.cuh"
#endif
#if __has_include("embedding.cuh")
#include "embedding.cuh"
#endif
#if __has_include("patches.cuh")
#include "patches.cuh"
#endif
#if __has_include("rows.cuh")
#include "rows.cuh"
#endif
#if __has_include("adamw.cuh")
#include "adamw.cuh"
#endif
#if __has_include("reduction.cuh")
#include "reduction.cuh"
#endif
