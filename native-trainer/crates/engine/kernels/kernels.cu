// Every kernel, as one translation unit: nvcc compiles this file once for each GPU architecture.
#include "attention.cuh"
#include "layer_norm.cuh"
#include "activation.cuh"
#include "embedding.cuh"
#include "patches.cuh"
#include "rows.cuh"
#include "adamw.cuh"
#include "reduction.cuh"
